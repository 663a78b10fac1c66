import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runGit } from './git/run-git.ts';

/** The folder in a project for files that Davit makes there. */
const FOLDER = '.davit';

/** The path of a project's folder for Davit's files, or of something below it. */
export function davitFolder(root: string, ...below: readonly string[]): string {
  return join(root, FOLDER, ...below);
}

/** Makes a folder below a project's `.davit/`, which Git ignores from then on. Returns its path. */
export async function makeDavitFolder(root: string, ...below: readonly string[]): Promise<string> {
  const folder = davitFolder(root, ...below);
  await retryWhileRemoved(async () => {
    await mkdir(folder, { recursive: true });
    await ignoreInGit(root);
  });
  return folder;
}

/** Runs work that makes files below `.davit/`, again if a removal by another process has removed the folder meanwhile. */
export async function retryWhileRemoved(work: () => Promise<void>, tries = MAKING_TRIES): Promise<void> {
  try {
    await work();
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== 'ENOENT' || tries <= 1) throw e;
    await retryWhileRemoved(work, tries - 1);
  }
}

const MAKING_TRIES = 10;

/** Removes a project's `.davit/` if nothing but its list for Git is left there. */
export async function removeEmptyDavitFolder(root: string): Promise<void> {
  const folder = davitFolder(root);
  const names = await readdir(folder).catch(() => [FOLDER]);
  if (names.some((name) => name !== IGNORE_FILE)) return;
  await rm(join(folder, IGNORE_FILE), { force: true });
  try {
    await rmdir(folder);
  } catch {
    await makeDavitFolder(root); // another process has made a file there meanwhile
  }
}

/** Makes Git ignore `.davit/`, if the folder exists. */
async function ignoreInGit(root: string): Promise<void> {
  const file = davitFolder(root, IGNORE_FILE);
  if (!existsSync(file)) await writeFile(file, '*\n');
}

/** Git's list of ignored files, in `.davit/` itself. */
const IGNORE_FILE = '.gitignore';

/**
 * Whether Git tracks files below a project's `.davit/`, as an error for people; undefined: it tracks none. Davit trusts what
 * it finds there (build contexts, settings of stacks, the passphrase), so nothing of it may come out of a repository.
 */
export async function findTrackedDavitFiles(root: string): Promise<string | undefined> {
  const { code, stdout, stderr } = await runGit(root, ['ls-files', '-z', '--', FOLDER], { limitSeconds: GIT_SECONDS });
  if (code !== 0) {
    if (stderr.includes('not a git repository')) return undefined;
    throw new Error(`Cannot check whether Git tracks files below ${FOLDER}/: ${stderr.trim().split('\n')[0] ?? ''}`);
  }
  const [first = '', ...more] = stdout.split('\0').filter(Boolean);
  if (first === '') return undefined;
  const others = more.length === 0 ? '' : ` and ${more.length} more`;
  return `Cannot use ${FOLDER}/: Git tracks ${first}${others} there, expected only files that Davit makes on this machine. Remove them from the repository: git rm -r --cached ${FOLDER}`;
}

const GIT_SECONDS = 30;

/** Throws when Git tracks files below a project's `.davit/`. Where Git cannot answer, nothing is known to be tracked. */
export async function refuseTrackedDavitFiles(root: string): Promise<void> {
  const error = await findTrackedDavitFiles(root).catch(() => undefined);
  if (error !== undefined) throw new Error(error);
}
