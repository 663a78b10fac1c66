import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

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
