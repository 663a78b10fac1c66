import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CODE_FOLDER, codePath } from '../../../system/code.ts';
import { DOCUMENTED_DIGEST, DOCUMENTED_RELEASE } from '../../../app/init/documented-files.ts';

/** What is in the repository and in no release that a runner needs; act copies the whole folder for each step. */
const EXCLUDED_FOLDERS = /^(?:bench|docs|examples|models|test|tools)\//;
export const RELEASE = `${DOCUMENTED_RELEASE}@${DOCUMENTED_DIGEST}`;

/**
 * Makes a release of the code as it lies here in `release`, and in `named` what act gives to each step: the action's and the
 * workflows' files, in words that act 0.2.89 knows (`$/` names the release by its digest, there is no `queue`), and a link
 * to the release. So its code stays where it is after a job, as on a runner of one's own.
 */
export function makeRelease(release: string, named: string): void {
  const files = listRepositoryFiles().filter((f) => !EXCLUDED_FOLDERS.test(f));
  for (const file of files) cpSync(codePath(file), join(release, file));
  symlinkSync(codePath('node_modules'), join(release, 'node_modules'));
  mkdirSync(join(named, 'action'), { recursive: true });
  cpSync(codePath('action', 'action.yml'), join(named, 'action', 'action.yml'));
  symlinkSync(join(release, 'action', 'dist'), join(named, 'action', 'dist'));
  const workflows = files.filter((f) => f.startsWith('.github/workflows/'));
  mkdirSync(join(named, '.github', 'workflows'), { recursive: true });
  for (const file of workflows)
    writeFileSync(join(named, file), replaceUnsupportedSyntax(readFileSync(codePath(file), 'utf8')));
}

export function replaceUnsupportedSyntax(workflow: string): string {
  return workflow
    .replaceAll(/(?<=uses: )\$\/(\S+)/g, `${DOCUMENTED_RELEASE}/$1@${DOCUMENTED_DIGEST}`)
    .replaceAll(/^ +queue: max.*\n/gm, '');
}

/** What Git has of Davit's repository or would take. */
export function listRepositoryFiles(): readonly string[] {
  const listed = execFileSync('git', [
    '-C',
    CODE_FOLDER,
    'ls-files',
    '-z',
    '--cached',
    '--others',
    '--exclude-standard',
  ]);
  return listed
    .toString()
    .split('\0')
    .filter((file) => file !== '' && existsSync(codePath(file)));
}
