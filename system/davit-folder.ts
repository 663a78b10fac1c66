import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runGit } from './run-git.ts';

/** The folder in a project for files that Davit makes there. */
const FOLDER = '.davit';

/** The path of a project's folder for Davit's files, or of something below it. */
export function davitFolder(root: string, ...below: readonly string[]): string {
  return join(root, FOLDER, ...below);
}

/** Makes a folder below a project's `.davit/`, which Git ignores from then on. Returns its path. */
export async function makeDavitFolder(root: string, ...below: readonly string[]): Promise<string> {
  const folder = davitFolder(root, ...below);
  await mkdir(folder, { recursive: true });
  await ignoreInGit(root);
  return folder;
}

/** Makes Git ignore `.davit/`, if the folder exists. */
async function ignoreInGit(root: string): Promise<void> {
  const file = davitFolder(root, IGNORE_FILE);
  if (!existsSync(file)) await writeFile(file, '*\n');
}

/** Git's list of ignored files, in `.davit/` itself. */
export const IGNORE_FILE = '.gitignore';

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
