import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { makeBuildContext } from '../../images/make-build-context.ts';
import { planImage } from '../../images/plan-image.ts';
import { makePublicUrl } from '../../images/read-provenance.ts';
import { removeOldContexts } from '../../images/remove-old-contexts.ts';
import { setModesAndTimes } from '../../images/set-modes-and-times.ts';
import { SAMPLE_LOCK, SAMPLE_SETTINGS } from './sample-lock.ts';

const request = { endpoint: { name: 'iris' }, entity: { name: 'iris' }, lock: SAMPLE_LOCK, settings: SAMPLE_SETTINGS };
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'davit-context-'));
  onTestFinished(() => rm(root, { recursive: true }));
});

test('a context for a preview is a Dockerfile, and takes what is whole as it is', async () => {
  const plan = await planImage(request);
  const made = { root, lock: SAMPLE_LOCK, entity: 'iris', modelFolder: '/nowhere', full: false };
  await makeBuildContext(plan, made);
  const folder = join(root, plan.context);
  expect(await readdir(folder)).toEqual(['Dockerfile']);
  const dockerfile = await readFile(join(folder, 'Dockerfile'), 'utf8');
  expect(dockerfile).toContain(`FROM ${SAMPLE_SETTINGS.bases['3.11']!}\n`);
  expect(dockerfile).toContain('LABEL org.opencontainers.image.title="iris 2"\n');
  expect(dockerfile).toContain(`LABEL dev.davit.model.digest="sha256:${'d'.repeat(64)}"\n`);
  expect(dockerfile).not.toContain('image.revision'); // not in Git
  await mkdir(join(folder, 'model', 'model'), { recursive: true });
  await makeBuildContext(plan, { ...made, full: true });
  expect((await readdir(folder)).sort()).toEqual(['Dockerfile', 'model']);
  expect(await readdir(join(root, '.davit', 'images'))).toEqual([plan.tag]);
});

test('a complete context that came out of the repository is refused', async () => {
  const plan = await planImage(request);
  const tracked = join(plan.context, 'model', 'model', 'MLmodel');
  await mkdir(join(root, tracked, '..'), { recursive: true });
  await writeFile(join(root, tracked), '');
  const git = (...args: readonly string[]) => execFileSync('git', ['-C', root, ...args]);
  git('init', '--quiet');
  const make = () =>
    makeBuildContext(plan, { root, lock: SAMPLE_LOCK, entity: 'iris', modelFolder: '/nowhere', full: true });
  await make(); // untracked, so Davit made it
  git('add', '--force', tracked);
  await expect(make()).rejects.toThrow(`Cannot use .davit/: Git tracks ${tracked} there, expected only files that`);
});

test('setModesAndTimes() leaves nothing of this machine', async () => {
  await mkdir(join(root, 'folder'), { mode: 0o700 });
  await writeFile(join(root, 'folder', 'program'), '', { mode: 0o700 });
  await writeFile(join(root, 'folder', 'text'), '', { mode: 0o600 });
  await setModesAndTimes(root);
  const seen = await Promise.all(
    ['folder', 'folder/program', 'folder/text'].map(async (name) => {
      const { mode, mtime } = await stat(join(root, name));
      return [(mode & 0o777).toString(8), mtime.toISOString()];
    }),
  );
  const time = '1980-01-01T00:00:00.000Z';
  expect(seen).toEqual([
    ['755', time],
    ['755', time],
    ['644', time],
  ]);
});

test('removeOldContexts() removes what a process that is gone had begun, and nothing else', async () => {
  const tag = `${'a'.repeat(32)}-${'b'.repeat(32)}`;
  const kept = [tag, `${tag}.${process.pid}-01234567.new`, `${tag}.lock`, 'build.log', 'notes'].sort();
  const old = `${'a'.repeat(12)}-${'b'.repeat(12)}.4194305-01234567.new`;
  for (const name of [...kept, old, `${tag}.4194305-01234567.new`])
    await mkdir(join(root, '.davit', 'images', name), { recursive: true });
  await utimes(join(root, '.davit', 'images', tag), 0, 0); // its times are fixed and say nothing
  await removeOldContexts(root);
  expect((await readdir(join(root, '.davit', 'images'))).sort()).toEqual(kept);
});

test.each([
  ['git@github.com:acme/models.git', 'https://github.com/acme/models'],
  ['https://user:secret@github.com/acme/models.git', 'https://github.com/acme/models'],
  ['ssh://git@gitlab.example.com:2222/acme/models', 'https://gitlab.example.com/acme/models'],
  ['/home/someone/models', undefined],
  ['../models', undefined],
])('makePublicUrl() says where a project is, and no secret: %s', (remote, address) => {
  expect(makePublicUrl(remote)).toBe(address);
});
