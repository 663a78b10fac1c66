import { declarationsRoot, type ProjectFolders } from '../../schemas/read-project.ts';
import { findInCommit, renderGitError } from '../../system/git/git-files.ts';
import { runGit } from '../../system/git/run-git.ts';

export interface BaseFile {
  readonly place: ProjectFolders;
  /** The commit. */
  readonly base: string;
  readonly signal: AbortSignal;
}

/**
 * Reads a file as the base has it, through links of the base. Undefined: the base does not list it. One that is listed and
 * cannot be read, such as in a clone without the contents of old files, is an error, which says for what the file is needed.
 * `cat-file` prints the file as it is in the commit, without a program of the user's or the repository's settings.
 */
export async function readBaseFile(
  path: string,
  { place, base, signal }: BaseFile,
  need: string,
): Promise<string | undefined> {
  const folder = declarationsRoot(place);
  const found = await findInCommit(folder, { commit: base, path, signal });
  if (!found) return undefined;
  const { code, stdout, stderr } = await runGit(folder, ['cat-file', 'blob', found.id], { signal });
  if (code === 0) return stdout;
  throw new Error(
    `Cannot read ${path} of the base ${base}, ${need}: git reports "${renderGitError(stderr)}". In a partial clone, fetch all contents first: git fetch --refetch --no-filter`,
  );
}
