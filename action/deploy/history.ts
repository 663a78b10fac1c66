import { NoBaseError, readChangedPaths } from '../../review/changed-paths.ts';
import type { ChangedPath } from '../../schemas/report/report.ts';
import { isInCommit, renderGitError } from '../../system/git/git-files.ts';
import { runGit } from '../../system/git/run-git.ts';

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

/**
 * Where the checkout is, seen from a commit. `diverged`: neither contains the other, or the commit is not known here.
 */
export type Position = 'same' | 'newer' | 'older' | 'diverged';

/** Returns a function that runs Git once for each commit. */
export function makePositionFinder(history: ProjectHistory): (sha: string) => Promise<Position> {
  const known = new Map<string, Promise<Position>>();
  return (sha) => {
    const position = known.get(sha) ?? comparePosition(history, sha);
    known.set(sha, position);
    return position;
  };
}

async function comparePosition(history: ProjectHistory, sha: string): Promise<Position> {
  const [contains, isContained] = await Promise.all([
    isAncestor(history, sha, 'HEAD'),
    isAncestor(history, 'HEAD', sha),
  ]);
  if (contains && isContained) return 'same';
  return contains ? 'newer' : isContained ? 'older' : 'diverged';
}

/** A commit that is not known here is nobody's ancestor. */
async function isAncestor({ root, signal }: ProjectHistory, ancestor: string, of: string): Promise<boolean> {
  const { code, stderr } = await runGit(root, ['merge-base', '--is-ancestor', ancestor, of], { signal });
  if (code === 0 || code === 1) return code === 0;
  await throwIfKnown({ root, signal }, [ancestor, of], stderr);
  return false;
}

/** Git has failed. Where it knows all the commits, that is no answer to the question. */
async function throwIfKnown(history: ProjectHistory, commits: readonly string[], stderr: string): Promise<void> {
  const known = await Promise.all(commits.map((commit) => isKnown(history, commit)));
  if (known.every(Boolean)) throw makeHistoryError(stderr);
}

async function isKnown({ root, signal }: ProjectHistory, commit: string): Promise<boolean> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${commit}^{commit}`];
  return (await runGit(root, args, { signal })).code === 0;
}

function makeHistoryError(stderr: string): Error {
  return new Error(`Cannot read the history of the checkout: git reports "${renderGitError(stderr)}"`);
}

/** Whether a commit has a file, relative to the project's folder. */
export async function hasFile({ root, signal }: ProjectHistory, commit: string, path: string): Promise<boolean> {
  return isInCommit(root, { commit, path, signal });
}

/** Whether two commits have the same content at all of the paths. A commit that is not known here has other content. */
export async function hasSameFiles(
  { root, signal }: ProjectHistory,
  [one, other]: readonly [string, string],
  paths: readonly string[],
): Promise<boolean> {
  const diff = ['diff', '--quiet', '--no-ext-diff', '--no-renames', one, other, '--', ...paths];
  const { code, stderr } = await runGit(root, diff, { signal });
  if (code === 0 || code === 1) return code === 0;
  await throwIfKnown({ root, signal }, [one, other], stderr);
  return false;
}

/** The last commit of the branch that changed one of the paths; undefined: none in this history. */
export async function findLastChange(
  { root, signal }: ProjectHistory,
  paths: readonly string[],
): Promise<string | undefined> {
  return findLastCommit({ root, signal }, [], paths);
}

/** Enough for a merge queue's largest group, and few enough to query GitHub about each. */
const MAX_CHANGES = 50;

/** The commits of the branch after `since` that changed one of the paths, newest first. */
export async function listChangesSince(
  history: ProjectHistory,
  since: string,
  paths: readonly string[],
): Promise<readonly string[]> {
  return listCommits(history, [`--max-count=${MAX_CHANGES}`, '--no-patch', '--format=%H', `^${since}`], paths);
}

/**
 * All paths, relative to the project's folder, that a commit of the branch after `since` changed, even if a later one
 * took it back.
 */
export async function listTouchedPaths(history: ProjectHistory, since: string): Promise<readonly string[]> {
  const lines = await listCommits(history, ['--format=', '--name-only', '-z', '--relative', `^${since}`], ['.']);
  return [...new Set(lines.flatMap((line) => line.split('\0')).filter((path) => path !== ''))];
}

/** The second and further parents of a commit, which it has merged. */
export async function readMergedParents({ root, signal }: ProjectHistory, commit: string): Promise<readonly string[]> {
  const list = ['rev-list', '--max-count=1', '--parents', commit, '--'];
  const { code, stdout, stderr } = await runGit(root, list, { signal });
  if (code !== 0) await throwIfKnown({ root, signal }, [commit], stderr);
  return code === 0 ? stdout.trim().split(' ').slice(2) : [];
}

/** The commit of the branch that removed a file; undefined: the file never existed. */
export async function findRemoval({ root, signal }: ProjectHistory, path: string): Promise<string | undefined> {
  return findLastCommit({ root, signal }, ['--diff-filter=D'], [path]);
}

async function findLastCommit(history: ProjectHistory, filter: readonly string[], paths: readonly string[]) {
  return (await listCommits(history, ['--max-count=1', '--no-patch', '--format=%H', ...filter], paths)).at(0);
}

/** Of a merge, only its changes to the branch count. */
async function listCommits({ root, signal }: ProjectHistory, options: readonly string[], paths: readonly string[]) {
  const log = ['log', '--first-parent', '--diff-merges=first-parent', '--no-renames'];
  const { code, stdout, stderr } = await runGit(root, [...log, ...options, 'HEAD', '--', ...paths], { signal });
  if (code !== 0) throw makeHistoryError(stderr);
  return stdout.split('\n').filter((line) => line !== '');
}
