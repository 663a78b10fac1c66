import { NoBaseError, readChangedPaths } from '../../review/changed-paths.ts';
import type { ChangedPath } from '../../schemas/report.ts';
import { runGit } from '../../system/run-git.ts';

/** What the checkout's history tells of a project: `root` is the project's folder. */
export interface History {
  readonly root: string;
  readonly signal: AbortSignal;
}

/**
 * What differs between a commit that was deployed and the checkout. None when the checkout is older than that: somebody runs
 * an old workflow again. Undefined: that commit is not in this history any more.
 */
export async function changedSince(
  { root, signal }: History,
  sha: string,
): Promise<readonly ChangedPath[] | undefined> {
  try {
    return (await readChangedPaths(root, sha, signal)).paths;
  } catch (e) {
    if (e instanceof NoBaseError) return undefined;
    throw e;
  }
}

/** The commit of the branch by which one of the paths became what it is; undefined: none of this history. */
export async function lastChange({ root, signal }: History, paths: readonly string[]): Promise<string | undefined> {
  return lastCommit({ root, signal }, [], paths);
}

/** The commit of the branch that removed a file; undefined: there never was one. */
export async function removalOf({ root, signal }: History, path: string): Promise<string | undefined> {
  return lastCommit({ root, signal }, ['--diff-filter=D'], [path]);
}

/** Of a merge only what it brought to the branch counts. */
async function lastCommit({ root, signal }: History, filter: readonly string[], paths: readonly string[]) {
  const log = [
    'log',
    '-1',
    '--first-parent',
    '--diff-merges=first-parent',
    '--no-renames',
    '--no-patch',
    '--format=%H',
  ];
  const { code, stdout, stderr } = await runGit(root, [...log, ...filter, 'HEAD', '--', ...paths], signal);
  if (code !== 0) throw new Error(`Cannot read the history of the checkout: git says "${stderr.trim()}"`);
  return stdout.trim() || undefined;
}
