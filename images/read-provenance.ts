import { runGit } from '../system/git/run-git.ts';
import { readVersion } from '../system/code.ts';

/** Origin of an image. Not part of its content. */
export interface Provenance {
  /** Commit of the project. Undefined: the project is not in Git. */
  readonly commit: string | undefined;
  /** URL of the project. Undefined: not known. */
  readonly source: string | undefined;
  readonly davitVersion: string;
}

const LIMIT_SECONDS = 10;

/** Reads the provenance from Git and from Davit's package.json. */
export async function readProvenance(root: string): Promise<Provenance> {
  const [commit, remote] = await Promise.all([
    git(root, ['rev-parse', 'HEAD']),
    git(root, ['config', '--get', 'remote.origin.url']),
  ]);
  return { commit, source: remote === undefined ? undefined : makePublicUrl(remote), davitVersion: readVersion() };
}

/** `git@github.com:acme/models.git` → `https://github.com/acme/models`. Removes passwords. Undefined for a path. */
export function makePublicUrl(remote: string): string | undefined {
  const short = /^[\w.-]+@([\w.-]+):(?!\/)(.+)$/.exec(remote);
  const written = short ? `ssh://${short[1] ?? ''}/${short[2] ?? ''}` : remote;
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (!url || !/^(https?|ssh|git):$/.test(url.protocol)) return undefined;
  return `https://${url.hostname}${url.pathname.replace(/(\.git)?(?<!\/)\/*$/, '')}`;
}

async function git(root: string, args: readonly string[]): Promise<string | undefined> {
  const run = await runGit(root, args, { limitSeconds: LIMIT_SECONDS }).catch(() => undefined);
  return run?.code === 0 ? run.stdout.trim() || undefined : undefined;
}
