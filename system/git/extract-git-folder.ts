import { spawn } from 'node:child_process';
import { copyFile, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { type FileInCommit, renderGitError } from './git-files.ts';
import { makeGitCommand, runGit } from './run-git.ts';
import { waitForChild } from '../wait-for-child.ts';

/** Why a folder of a commit cannot be written: a sentence for people. */
class GitFolderError extends Error {}

const MAX_FILES = 10_000;
const FILE_MODES = new Set(['100644', '100755']);
/** A pointer of Git LFS has fewer bytes. */
const POINTER_BYTES = 1024;
const POINTER = /^version https:\/\/git-lfs\.github\.com\/spec\/v1\n(?:[^\n]*\n)*?oid sha256:([0-9a-f]{64})\n/;

/**
 * Writes a folder as a commit has it below `target`. Runs no filter and no other program of the repository's settings: a
 * file of Git LFS is copied from the clone's own store. Throws a GitFolderError.
 */
export async function extractGitFolder(folder: string, from: FileInCommit, target: string): Promise<void> {
  const { commit, path, signal } = from;
  const args = ['ls-tree', '-r', '-z', '--full-name', commit, '--', `./${path}/`];
  const [listed, top, common] = await Promise.all([
    runGit(folder, args, { signal }),
    runGit(folder, ['rev-parse', '--show-prefix'], { signal }),
    runGit(folder, ['rev-parse', '--path-format=absolute', '--git-common-dir'], { signal }),
  ]);
  const wrong = [listed, top, common].find(({ code }) => code !== 0);
  if (wrong) throw new GitFolderError(`git reports "${renderGitError(wrong.stderr)}"`);
  const prefix = `${posix.join(stripNewline(top.stdout), path)}/`;
  const files = listed.stdout.split('\0').filter((line) => line !== '');
  if (files.length === 0) throw new GitFolderError(`the commit ${commit.slice(0, 12)} has no ${path}`);
  if (files.length > MAX_FILES) throw new GitFolderError(`${path} has more than ${MAX_FILES} files`);
  for (const line of files) {
    const [, mode = '', id = '', name = ''] = /^(\d+) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
    if (!FILE_MODES.has(mode)) throw new GitFolderError(`${name} is a link or another repository`);
    const file = join(target, ...splitInside(name, prefix));
    await mkdir(dirname(file), { recursive: true });
    await writeBlob(folder, { id, name, signal }, file);
    await replacePointer(file, { store: join(stripNewline(common.stdout), 'lfs', 'objects'), name });
  }
}

/** The parts of a path below the folder. A commit that no Git has made can have others. */
function splitInside(name: string, prefix: string): readonly string[] {
  const parts = name.slice(prefix.length).split('/');
  const isInside = name.startsWith(prefix) && parts.every((part) => !['', '.', '..'].includes(part));
  if (!isInside) throw new GitFolderError(`${name} is a path outside the folder`);
  return parts;
}

/** A folder's name can end with white space. */
function stripNewline(text: string): string {
  return text.replace(/\n$/, '');
}

async function writeBlob(
  folder: string,
  { id, name, signal }: { readonly id: string; readonly name: string; readonly signal: AbortSignal },
  file: string,
): Promise<void> {
  const out = await open(file, 'wx');
  try {
    const { args, env } = makeGitCommand(folder, ['cat-file', 'blob', id]);
    const child = spawn('git', args, { env, stdio: ['ignore', out.fd, 'ignore'], signal });
    const { code } = await waitForChild(child);
    if (code !== 0) throw new GitFolderError(`this clone does not have the content of ${name}`);
  } finally {
    await out.close();
  }
}

/** A file of Git LFS is a pointer in the commit. */
async function replacePointer(
  file: string,
  { store, name }: { readonly store: string; readonly name: string },
): Promise<void> {
  if ((await stat(file)).size > POINTER_BYTES) return;
  const id = POINTER.exec(await readFile(file, 'latin1'))?.[1];
  if (id === undefined) return;
  await rm(file);
  try {
    await copyFile(join(store, id.slice(0, 2), id.slice(2, 4), id), file);
  } catch {
    throw new GitFolderError(`${name} is a file of Git LFS that this clone does not have`);
  }
}
