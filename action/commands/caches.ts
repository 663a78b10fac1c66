import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setOutput } from '@actions/core';
import { cacheFolder, userCacheFolder } from '../../system/cache.ts';
import type { Job } from '../job.ts';

/**
 * Outputs the folders and the key for actions/cache; does nothing else. A model can write to any file of its job, so
 * each pull request has keys of its own and the default branch restores from no other. Jobs with credentials have no
 * cache, because a cache is unpacked with whatever paths are in it and could overwrite any file.
 */
export async function setCacheOutputs({ inputs, runner }: Job): Promise<void> {
  const root = resolve(runner.workspace, inputs.project);
  const machine = `${process.platform}-${process.arch}`;
  const scope = findCacheScope(runner);
  const own = `davit-validate-${machine}-${scope}-`;
  const shared = `davit-validate-${machine}-${DEFAULT_BRANCH}-`;
  setOutput('validate-paths', listCachePaths().join('\n'));
  setOutput('validate-key', `${own}${await digestLocks(root)}`);
  setOutput('validate-restore-keys', [...new Set([own, shared])].join('\n'));
}

const DEFAULT_BRANCH = 'default-branch';

function findCacheScope({ event, eventName, ref }: Job['runner']): string {
  if (event.pull_request) return `pull-request-${event.pull_request.number}`;
  const main = event.repository?.default_branch;
  if (eventName === 'push' && main !== undefined && ref === `refs/heads/${main}`) return DEFAULT_BRANCH;
  return createHash('sha256').update(`${eventName} ${ref}`).digest('hex').slice(0, 12);
}

/** Byte code is not cached: a model that runs without a sandbox could write it, and every later model would run it. */
function listCachePaths(): readonly string[] {
  const uv = process.env['UV_CACHE_DIR'] || join(userCacheFolder(), 'uv');
  return [
    ...['uv', 'virtualenvs', 'proofs', 'pickles'].map((name) => cacheFolder(name)),
    `!${cacheFolder('virtualenvs', '*', 'pycache')}`,
    uv,
  ];
}

/** Other locks need other virtualenvs, so they need another key. */
async function digestLocks(root: string): Promise<string> {
  const folder = join(root, 'endpoints');
  const names = (await readdir(folder).catch(() => [])).filter((name) => /\.(?:lock|yaml)$/.test(name)).sort();
  const digests = await Promise.all(names.map((name) => digestFile(join(folder, name)).catch(() => 'unreadable')));
  return createHash('sha256')
    .update(JSON.stringify([names, digests]))
    .digest('hex')
    .slice(0, 20);
}

async function digestFile(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
    .slice(0, 20);
}
