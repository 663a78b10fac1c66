import type { ChangedPath } from '../schemas/report/report.ts';
import { followFolderLinks } from '../system/follow-links.ts';
import { runGit } from '../system/git/run-git.ts';
import type { ProcessResult } from '../system/run-process.ts';

/** The differences between the working tree and the commit where a branch began. */
export interface Changes {
  /** The base commit: 40 hexadecimal digits. */
  readonly base: string;
  /** The commit that is checked out. */
  readonly head: string;
  /** Relative to the folder, sorted. A renamed file counts as one deleted and one added file. */
  readonly paths: readonly ChangedPath[];
}

/** Git cannot find a base commit, so the user has to name one. */
export class NoBaseError extends Error {}

const DEFAULT_BASES = ['origin/HEAD', 'origin/main', 'origin/master', 'main', 'master'];
const NAMES_HINT = 'name the endpoints: npx davit review NAME';
const BASE_HINT = 'name the endpoints (npx davit review NAME), or the commit to compare with: --base REF';

/** Lists the paths below a folder that changed since `base`, committed or not; default: since the usual main branch. */
export async function readChangedPaths(
  folder: string,
  base: string | undefined,
  signal?: AbortSignal,
): Promise<Changes> {
  const git = (...args: readonly string[]) => runGit(folder, args, { signal });
  const inside = await git('rev-parse', '--is-inside-work-tree');
  if (inside.code !== 0)
    throw new NoBaseError(`Cannot find the changed files: ${explainNoRepository(folder, inside)}; ${NAMES_HINT}`);
  const commit = await findCommit(git, base);
  const head = await findCommit(git, 'HEAD');
  const merged = await git('merge-base', commit, head);
  if (merged.code !== 0)
    throw new NoBaseError(
      `Cannot find the changed files: the history does not contain the merge base of ${base ?? 'the main branch'} and HEAD; fetch the whole history (git fetch --unshallow), or ${BASE_HINT}`,
    );
  const since = merged.stdout.trim();
  const [tracked, untracked] = await Promise.all([
    // These options keep paths independent of the user's Git settings for renames, prefixes and diff programs.
    git('diff', '--name-status', '-z', '--no-renames', '--no-ext-diff', '--relative', since, '--', '.'),
    git('ls-files', '-z', '--others', '--exclude-standard', '--', '.'),
  ]);
  for (const { code, stderr } of [tracked, untracked])
    if (code !== 0) throw new Error(`Cannot find the changed files: git reports "${stderr.trim()}"`);
  return { base: since, head, paths: mergePaths(tracked.stdout, untracked.stdout) };
}

/** Git may also refuse a repository of another user; its message then says what to do. */
function explainNoRepository(folder: string, { stderr }: ProcessResult): string {
  if (stderr.includes('not a git repository')) return `${folder} is not in a Git repository`;
  return `git reports "${stderr.trim().replaceAll(/\s+/g, ' ')}"`;
}

type Git = (...args: readonly string[]) => Promise<ProcessResult>;

/** The commit of a name; a name is never taken for an option. */
async function findCommit(git: Git, base: string | undefined): Promise<string> {
  for (const name of base === undefined ? await listDefaultBases(git) : [base]) {
    if (name.startsWith('-')) break;
    const found = await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`);
    const commit = found.stdout.trim().split('\n').at(-1) ?? '';
    if (found.code === 0 && /^[0-9a-f]{40,64}$/.test(commit)) return commit;
  }
  if ((await git('rev-parse', '--verify', '--quiet', 'HEAD')).code !== 0)
    throw new NoBaseError(`Cannot find the changed files: the repository has no commit yet; ${NAMES_HINT}`);
  const what = base === undefined ? NO_MAIN_BRANCH : `"${base}" is not a commit in this repository`;
  throw new NoBaseError(`Cannot find the changed files: ${what}; ${BASE_HINT}`);
}

/** Last, the name that the user gives to the first branch of new repositories. */
async function listDefaultBases(git: Git): Promise<readonly string[]> {
  const configured = (await git('config', '--get', 'init.defaultBranch')).stdout.trim();
  return configured === '' ? DEFAULT_BASES : [...DEFAULT_BASES, `origin/${configured}`, configured];
}

const NO_MAIN_BRANCH = `there is no ${DEFAULT_BASES.join(', ')}; ask the remote for its default branch (git remote set-head origin --auto)`;

const CHANGES: Readonly<Record<string, ChangedPath['change']>> = { A: 'added', D: 'deleted' };

/** A removed file that exists again untracked counts as modified. */
function mergePaths(tracked: string, untracked: string): readonly ChangedPath[] {
  const parts = tracked.split('\0');
  const changes = new Map<string, ChangedPath['change']>();
  for (let i = 0; i + 1 < parts.length; i += 2)
    changes.set(parts[i + 1] ?? '', CHANGES[parts[i]?.charAt(0) ?? ''] ?? 'modified');
  for (const path of untracked.split('\0').filter((p) => p !== ''))
    changes.set(path, changes.has(path) ? 'modified' : 'added');
  return [...changes].map(([path, change]) => ({ path, change })).sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Adds those of the files or folders that a link leads to a changed path, or whose folders do: who reads them reads what
 * changed. `Changes.paths` has a link only where the link itself changed.
 */
export async function addLinkedPaths(
  folder: string,
  { base, paths }: Pick<Changes, 'base' | 'paths'>,
  files: readonly string[],
  signal?: AbortSignal,
): Promise<readonly ChangedPath[]> {
  const listed = new Set(paths.map(({ path }) => path));
  const isChanged = async (file: string) => {
    const { steps } = await followFolderLinks(folder, file);
    const isStepChanged = (step: string, i: number) =>
      paths.some(({ path }) => isInside(step, path) || (i > 0 && isInside(path, step)));
    if (steps.some(isStepChanged)) return true;
    const outside = steps.filter((step) => step.startsWith('../'));
    return outside.length > 0 && isChangedOutside(folder, base, outside, signal);
  };
  const unlisted = [...new Set(files)].filter((file) => !listed.has(file) && !file.startsWith('../'));
  const changed = await Promise.all(unlisted.map(isChanged));
  const linked = unlisted.filter((_, i) => changed[i]).map((path) => ({ path, change: 'modified' as const }));
  return linked.length === 0 ? paths : [...paths, ...linked].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** The project may be a folder of its repository. A path outside of the repository is no part of a change. */
async function isChangedOutside(
  folder: string,
  base: string,
  paths: readonly string[],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const compare = ['diff', '--quiet', '--no-ext-diff', '--no-textconv', base, '--'];
  const runs = await Promise.all(paths.map((path) => runGit(folder, [...compare, path], { signal })));
  return runs.some(({ code }) => code === 1);
}
