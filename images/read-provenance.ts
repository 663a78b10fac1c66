import { readFile } from 'node:fs/promises';
import { runProcess } from '../system/run-process.ts';
import { PACKAGE_JSON } from './places.ts';

/** Where an image comes from; none of it is content. */
export interface Provenance {
  /** Commit of the project; undefined: it is not in Git. */
  readonly commit: string | undefined;
  /** Address of the project; undefined: not known. */
  readonly source: string | undefined;
  readonly davitVersion: string;
}

const LIMIT_SECONDS = 10;

/** Reads what Git and Davit's package say. */
export async function readProvenance(root: string): Promise<Provenance> {
  const { version } = JSON.parse(await readFile(PACKAGE_JSON, 'utf8')) as { readonly version: string };
  const [commit, remote] = await Promise.all([
    git(root, ['rev-parse', 'HEAD']),
    git(root, ['config', '--get', 'remote.origin.url']),
  ]);
  return { commit, source: remote === undefined ? undefined : publicAddress(remote), davitVersion: version };
}

/** `git@github.com:acme/models.git` → `https://github.com/acme/models`; never with a password, undefined for a path. */
export function publicAddress(remote: string): string | undefined {
  const short = /^[\w.-]+@([\w.-]+):(?!\/)(.+)$/.exec(remote);
  const written = short ? `ssh://${short[1] ?? ''}/${short[2] ?? ''}` : remote;
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (!url || !/^(https?|ssh|git):$/.test(url.protocol)) return undefined;
  return `https://${url.hostname}${url.pathname.replace(/(\.git)?\/*$/, '')}`;
}

async function git(root: string, args: readonly string[]): Promise<string | undefined> {
  const run = await runProcess('git', ['-C', root, ...args], { limitSeconds: LIMIT_SECONDS }).catch(() => undefined);
  return run?.code === 0 ? run.stdout.trim() || undefined : undefined;
}
