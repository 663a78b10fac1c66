import { NoBaseError, readChangedPaths } from '../../review/changed-paths.ts';
import type { ChangedPath } from '../../schemas/report/report.ts';
import { runGit } from '../../system/run-git.ts';

/** A project in the checkout's history: `root` is the project's folder. */
export interface ProjectHistory {
  readonly root: string;
  readonly signal: AbortSignal;
}

/**
 * The differences between a deployed commit and the checkout. Empty when the checkout is older than that commit,
 * because somebody reruns an old workflow. Undefined: the commit is no longer in this history.
 */
export async function readChangesSince(
  { root, signal }: ProjectHistory,
  sha: string,
): Promise<readonly ChangedPath[] | undefined> {
  try {
    return (await readChangedPaths(root, sha, signal)).paths;
  } catch (e) {
    if (e instanceof NoBaseError) return undefined;
    throw e;
  }
}

/** The last commit of the branch that changed one of the paths; undefined: none in this history. */
export async function findLastChange(
  { root, signal }: ProjectHistory,
  paths: readonly string[],
): Promise<string | undefined> {
  return findLastCommit({ root, signal }, [], paths);
}

/** The commit of the branch that removed a file; undefined: the file never existed. */
export async function findRemoval({ root, signal }: ProjectHistory, path: string): Promise<string | undefined> {
  return findLastCommit({ root, signal }, ['--diff-filter=D'], [path]);
}

/** Of a merge, only its changes to the branch count. */
async function findLastCommit({ root, signal }: ProjectHistory, filter: readonly string[], paths: readonly string[]) {
  const log = [
    'log',
    '-1',
    '--first-parent',
    '--diff-merges=first-parent',
    '--no-renames',
    '--no-patch',
    '--format=%H',
  ];
  const { code, stdout, stderr } = await runGit(root, [...log, ...filter, 'HEAD', '--', ...paths], { signal });
  if (code !== 0) throw new Error(`Cannot read the history of the checkout: git reports "${stderr.trim()}"`);
  return stdout.trim() || undefined;
}
