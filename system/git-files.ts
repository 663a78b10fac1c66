import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runGit } from './run-git.ts';

export interface FileInCommit {
  readonly commit: string;
  /** Relative to the folder in which Git runs. */
  readonly path: string;
  readonly signal: AbortSignal;
}

/**
 * Whether a commit lists a path. Asks the commit's trees, which a partial clone has too, and never for the content of the
 * file. Throws if Git cannot tell: a failure is not "there is none".
 */
export async function isInCommit(folder: string, { commit, path, signal }: FileInCommit): Promise<boolean> {
  const { code, stdout, stderr } = await runGit(folder, ['ls-tree', '-z', commit, '--', `./${path}`], { signal });
  if (code !== 0) throw new Error(`Cannot tell whether ${commit} has ${path}: git reports "${renderGitError(stderr)}"`);
  return stdout !== '';
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
