import { renderCauses } from '../../app/catch-outage.ts';
import type { ChangedPath } from '../../schemas/report/report.ts';
import { LOG } from '../log.ts';
import type { GitHub } from './connect.ts';

/** The files that a branch changes, relative to the repository's root. */
export interface Comparison {
  readonly paths: readonly ChangedPath[];
  /** Whether these are all of them. */
  readonly complete: boolean;
}

/** GitHub lists no more files of a comparison. */
export const COMPARED_FILES = 300;

const CHANGES: Readonly<Record<string, readonly ChangedPath['change'][]>> = {
  added: ['added'],
  copied: ['added'],
  removed: ['deleted'],
  unchanged: [],
};

/**
 * Compares a commit with the commit where it parted from a branch. The answer belongs to that very commit, unlike the
 * list of a pull request's files, which follows its branch. A renamed file counts as one deleted and one added.
 */
export async function compareWithBranch(
  { octokit, place }: GitHub,
  branch: string,
  commit: string,
): Promise<Comparison> {
  // GitHub puts all files on the first page; the other pages have further commits.
  const options = { ...place, basehead: `${branch}...${commit}`, per_page: 1 };
  const { data } = await octokit.rest.repos.compareCommitsWithBasehead(options);
  const files = data.files ?? [];
  const paths = files.flatMap(({ filename: path, status, previous_filename: previous }): readonly ChangedPath[] => {
    if (status !== 'renamed') return (CHANGES[status] ?? ['modified']).map((change) => ({ path, change }));
    return [
      { path, change: 'added' },
      ...(previous === undefined ? [] : [{ path: previous, change: 'deleted' } as const]),
    ];
  });
  return { paths, complete: files.length < COMPARED_FILES };
}

/**
 * The files that a branch has changed from one commit to another one, relative to the repository's root. Undefined:
 * they cannot be listed; a commit that was forced away may be unknown.
 */
export async function listChangesBetween(
  github: GitHub,
  before: string,
  after: string,
): Promise<readonly string[] | undefined> {
  try {
    return (await compareWithBranch(github, before, after)).paths.map(({ path }) => path);
  } catch (e) {
    LOG.say(`Cannot list the files that the branch changes: ${renderCauses(e)}`);
    return undefined;
  }
}

/** Paths relative to the project, of those in it. */
export function listProjectPaths({ project }: GitHub, paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => (path.startsWith(project) ? [path.slice(project.length)] : []));
}

/** A comparison has at most this many commits on a page. */
const COMMITS_PER_PAGE = 100;

/** The first lines of the messages of all commits that `commit` has and `base` has not. */
export async function listCommitTitles(
  { octokit, place }: GitHub,
  base: string,
  commit: string,
): Promise<readonly string[]> {
  const options = { ...place, basehead: `${base}...${commit}`, per_page: COMMITS_PER_PAGE };
  const titles: string[] = [];
  // Octokit's own paging knows only answers that are lists.
  for (let page = 1; ; page += 1) {
    const { data } = await octokit.rest.repos.compareCommitsWithBasehead({ ...options, page });
    titles.push(...data.commits.map(({ commit: { message } }) => message.split('\n')[0]?.trim() ?? ''));
    if (data.commits.length < COMMITS_PER_PAGE) return titles;
  }
}
