import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { extractGitFolder } from '../../../system/git/extract-git-folder.ts';

const ID = 'a'.repeat(64);
const BYTES = Buffer.from([0, 255, 13, 10, 128, 0]);

/** A repository with a project in a folder, whose model is committed and then removed. */
async function makeRepository(more: (model: string) => Promise<void> = async () => {}, folder = 'shop') {
  const root = await mkdtemp(join(tmpdir(), 'davit-git-'));
  const project = join(root, folder);
  const model = join(project, 'models', 'iris', '1');
  await mkdir(join(model, 'data'), { recursive: true });
  await writeFile(join(model, 'data', 'model.bin'), BYTES);
  await writeFile(join(model, ' odd\tname'), 'text\n');
  // A filter of the repository's settings would run a program.
  await writeFile(join(root, '.gitattributes'), '* text=auto filter=evil\n');
  await more(model);
  const git = (...args: readonly string[]) =>
    execFileSync('git', [
      '-C',
      root,
      '-c',
      'user.name=a',
      '-c',
      'user.email=a@b',
      '-c',
      'core.autocrlf=false',
      ...args,
    ]);
  git('init', '-q');
  git('add', '-A');
  git('commit', '-q', '-m', 'first');
  git('config', 'filter.evil.smudge', 'false');
  git('config', 'filter.evil.required', 'true');
  await rm(model, { recursive: true });
  const extract = async (commit = 'HEAD') => {
    const target = join(root, 'target');
    await mkdir(target);
    const from = { commit, path: 'models/iris/1', signal: new AbortController().signal };
    await extractGitFolder(project, from, target);
    return (name: string) => readFile(join(target, name));
  };
  return { root, extract };
}

test('extractGitFolder() writes a removed folder byte by byte, without a filter of the repository', async () => {
  const { extract } = await makeRepository();
  const read = await extract();
  expect(await read('data/model.bin')).toEqual(BYTES);
  expect((await read(' odd\tname')).toString()).toBe('text\n');
});

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${ID}\nsize 5\n`;

test('extractGitFolder() takes a file of Git LFS from the store of the clone, and says where there is none', async () => {
  const { root, extract } = await makeRepository((model) => writeFile(join(model, 'large'), POINTER));
  await expect(extract()).rejects.toThrow(
    'shop/models/iris/1/large is a file of Git LFS that this clone does not have',
  );
  await rm(join(root, 'target'), { recursive: true });
  const stored = join(root, '.git', 'lfs', 'objects', 'aa', 'aa', ID);
  await mkdir(dirname(stored), { recursive: true });
  await writeFile(stored, 'large');
  expect(String(await (await extract())('large'))).toBe('large');
});

test('extractGitFolder() writes below the target a project whose name begins with spaces', async () => {
  const { extract } = await makeRepository(undefined, '  shop');
  expect(await (await extract())('data/model.bin')).toEqual(BYTES);
});

test('extractGitFolder() writes nothing outside the target', async () => {
  const { root, extract } = await makeRepository();
  const run = (input: string, ...args: readonly string[]) =>
    execFileSync('git', ['-C', root, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { input })
      .toString()
      .trim();
  let id = run('outside', 'hash-object', '-w', '--stdin');
  id = run(`100644 blob ${id}\toutside\n`, 'mktree');
  for (const name of ['..', '1', 'iris', 'models', 'shop']) id = run(`040000 tree ${id}\t${name}\n`, 'mktree');
  const commit = run('', 'commit-tree', id, '-m', 'hostile');
  await expect(extract(commit)).rejects.toThrow('shop/models/iris/1/../outside is a path outside the folder');
});

test('extractGitFolder() writes no link', async () => {
  const { extract } = await makeRepository((model) => symlink('/etc/passwd', join(model, 'link')));
  await expect(extract()).rejects.toThrow('shop/models/iris/1/link is a link or another repository');
});
