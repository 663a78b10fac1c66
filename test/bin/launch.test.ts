import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { codePath } from '../../system/code.ts';
import { makeChildEnvironment, runProcess } from '../../system/run-process.ts';

const PACKAGE = { version: '1.0.0', integrity: 'sha512-a' };

/** A copy of Davit with one program and one package, and an `npm` that only says that it was called. */
async function makeCopy(recorded: object | undefined) {
  const root = await mkdtemp(join(tmpdir(), 'davit-launch-'));
  onTestFinished(() => rm(root, { recursive: true }));
  await mkdir(join(root, 'bin'));
  await mkdir(join(root, 'node_modules'));
  await mkdir(join(root, 'path'));
  await cp(codePath('bin/launch.mjs'), join(root, 'bin/launch.mjs'));
  await writeFile(join(root, 'hello.mjs'), "process.stdout.write('hello')");
  const optional = { ...PACKAGE, optional: true };
  const packages = { '': {}, 'node_modules/a': PACKAGE, 'node_modules/only-elsewhere': optional };
  await writeFile(join(root, 'package-lock.json'), JSON.stringify({ packages }));
  if (recorded) await writeFile(join(root, 'node_modules/.package-lock.json'), JSON.stringify({ packages: recorded }));
  await writeFile(join(root, 'path/npm'), '#!/bin/sh\necho "npm was called: $*" >&2\n', { mode: 0o755 });
  const PATH = `${join(root, 'path')}:${process.env['PATH'] ?? ''}`;
  const run = () =>
    runProcess(process.execPath, [join(root, 'bin/launch.mjs'), 'hello.mjs'], { env: makeChildEnvironment({ PATH }) });
  return { root, run };
}

describe('bin/launch.mjs', () => {
  it('takes what npm has installed, and remembers it', async () => {
    const { root, run } = await makeCopy({ 'node_modules/a': PACKAGE });
    expect(await run()).toMatchObject({ code: 0, stdout: 'hello', stderr: '' });
    expect(await readFile(join(root, 'node_modules/.davit-installed'), 'utf8')).toMatch(/^[0-9a-f]{64}$/);
    await rm(join(root, 'node_modules/.package-lock.json'));
    expect(await run()).toMatchObject({ code: 0, stdout: 'hello', stderr: '' });
  });

  it.each([
    ['no record', undefined],
    ['a package less', {}],
    ['another version', { 'node_modules/a': { ...PACKAGE, version: '0.9.0' } }],
    ['another content', { 'node_modules/a': { ...PACKAGE, integrity: 'sha512-b' } }],
  ])('installs once when npm has %s', async (_what, recorded) => {
    const { run } = await makeCopy(recorded);
    const first = await run();
    expect(first).toMatchObject({ code: 0, stdout: 'hello' });
    expect(first.stderr).toContain('npm was called: ci ');
    expect(await run()).toMatchObject({ code: 0, stdout: 'hello', stderr: '' });
  });
});
