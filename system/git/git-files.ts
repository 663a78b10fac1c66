import { existsSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { followLinks, type Link, listParts } from '../follow-links.ts';
import { runGit } from './run-git.ts';

export interface FileInCommit {
  readonly commit: string;
  /** Relative to the folder in which Git runs. */
  readonly path: string;
  readonly signal: AbortSignal;
}

/** A file or a folder of a commit. */
export interface GitEntry {
  /** Relative to the folder in which Git runs. */
  readonly path: string;
  /** The name of its Git object. */
  readonly id: string;
}

const LINK = '120000';

/**
 * Whether a commit lists a path. Asks the commit's trees, which a partial clone has too, and never for the content of the
 * file. Throws if Git cannot tell: a failure is not "there is none".
 */
export async function isInCommit(folder: string, file: FileInCommit): Promise<boolean> {
  return (await listEntries(folder, file, [file.path])).length > 0;
}

/**
 * Finds the file or folder that a path of a commit leads to, through the commit's own links. Undefined: the commit has
 * none. Throws for a link that leads out of the repository, because what is there is no part of the commit.
 */
export async function findInCommit(folder: string, file: FileInCommit): Promise<GitEntry | undefined> {
  let entries: readonly Entry[] = [];
  const { steps, leadsAway } = await followLinks(file.path, async (path) => {
    entries = await listEntries(folder, file, listParts(path));
    const link = entries.find(({ mode }) => mode === LINK);
    return link && readLink(folder, link, file);
  });
  if (leadsAway)
    throw new Error(
      `Cannot read ${file.path} of the commit ${file.commit}: it is a link out of the repository. Put the file itself there`,
    );
  return entries.find(({ path }) => path === steps.at(-1));
}

/** The names of the files and folders in a folder of a commit. None: the commit has no such folder. */
export async function listFilesInCommit(folder: string, file: FileInCommit): Promise<readonly string[]> {
  const found = await findInCommit(folder, file);
  if (!found) return [];
  const entries = await listEntries(folder, file, [`${found.path}/`]);
  return entries.map(({ path }) => posix.basename(path));
}

interface Entry extends GitEntry {
  readonly mode: string;
}

async function listEntries(
  folder: string,
  { commit, path, signal }: FileInCommit,
  paths: readonly string[],
): Promise<readonly Entry[]> {
  if (paths.length === 0) return []; // Git would list everything
  const pathspecs = paths.map((each) => `./${each}`);
  const { code, stdout, stderr } = await runGit(folder, ['ls-tree', '-z', commit, '--', ...pathspecs], { signal });
  if (code !== 0) throw new Error(`Cannot tell whether ${commit} has ${path}: git reports "${renderGitError(stderr)}"`);
  return stdout.split('\0').flatMap((line) => {
    const [, mode = '', id = '', name = ''] = /^(\d+) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
    return mode === '' ? [] : [{ path: name, id, mode }];
  });
}

async function readLink(folder: string, { path, id }: Entry, { commit, signal }: FileInCommit): Promise<Link> {
  const { code, stdout, stderr } = await runGit(folder, ['cat-file', 'blob', id], { signal });
  if (code === 0) return { path, target: stdout };
  throw new Error(`Cannot read the link ${path} of the commit ${commit}: git reports "${renderGitError(stderr)}"`);
}

/** The nearest folder from `from` upwards that Git takes for a checkout. */
export function findRepository(from: string): string | undefined {
  if (existsSync(join(from, '.git'))) return from;
  return dirname(from) === from ? undefined : findRepository(dirname(from));
}

/** What Git printed, in one line. */
export function renderGitError(stderr: string): string {
  return stderr.trim().replaceAll(/\s+/g, ' ');
}
