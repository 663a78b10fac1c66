import { contentHash } from '../../schemas/values/names.ts';
import type { ProcessResult } from '../../system/run-process.ts';
import type { DownloadSource } from '../model/run-download.ts';

/** The answers of the program that downloads for which the registry itself is at fault, not one version of it. */
const OUTAGES = /"kind": ?"(?:unreachable|unavailable)"/;

/** The registries of this process that have not answered, as hashes, because their addresses may have passwords. */
const down = new Set<string>();

/**
 * Queries a registry unless it has already failed to answer in this process: a review has many changed entities, and
 * each would wait as long for the same registry.
 */
export async function queryCard(
  { connection }: Pick<DownloadSource, 'connection'>,
  query: () => Promise<ProcessResult>,
): Promise<ProcessResult> {
  const registry = contentHash({ tracking: connection?.tracking, registry: connection?.registry });
  if (down.has(registry)) return { ...FAILED, stderr: 'it did not respond to an earlier query' };
  const run = await query();
  if (run.timedOut || (run.code !== 0 && OUTAGES.test(run.stderr))) down.add(registry);
  return run;
}

const FAILED = { code: 1, signal: undefined, stdout: '', timedOut: false };
