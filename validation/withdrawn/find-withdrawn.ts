import { z } from 'zod';
import type { PythonOptions } from '../../python/find-uv.ts';
import type { LockedVirtualenv } from '../../schemas/lock/lock.ts';
import { readText } from '../../schemas/read-project.ts';
import { contentHash } from '../../schemas/values/names.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { cacheFolder } from '../../system/cache.ts';
import { SILENT, withProgress } from '../../system/progress.ts';
import { queryWithdrawn, type WithdrawnPackage } from './query-withdrawn.ts';

const FRESH_HOURS = 24;

const answer = z.object({
  /** Milliseconds since 1970. */
  asked: z.number(),
  packages: z.array(
    z.object({ name: z.string(), version: z.string(), reason: z.string().optional(), isGone: z.boolean() }),
  ),
});
type Answer = z.infer<typeof answer>;

export interface WithdrawnOptions extends PythonOptions {
  /** Whether to query the index if its last answer is older than a day. */
  readonly asksIndex: boolean;
}

/**
 * Finds locked versions that were withdrawn after the lock was made. The answer of the index is kept for a day, so most
 * calls only read a file. An index that does not answer leaves the last answer.
 */
export async function findWithdrawn(
  virtualenv: LockedVirtualenv,
  options: WithdrawnOptions,
): Promise<readonly WithdrawnPackage[]> {
  const file = locateWithdrawn(virtualenv);
  const hasPins = virtualenv.packages.some((p) => p.source === undefined);
  const kept = await readAnswer(file);
  const isFresh = kept !== undefined && Date.now() - kept.asked < FRESH_HOURS * 3_600_000;
  const now = options.asksIndex && !isFresh && hasPins ? await queryOnce(file, virtualenv, options) : undefined;
  return (now ?? kept)?.packages.map((p) => ({ ...p, reason: p.reason })) ?? [];
}

/** Where the answer of the index is kept. */
export function locateWithdrawn({ python, platform, packages }: LockedVirtualenv): string {
  const pins = packages.flatMap((p) => (p.source === undefined ? [`${p.name}==${p.version}`] : []));
  return cacheFolder('withdrawn', `${contentHash({ python, platform, pins }).slice(0, 32)}.json`);
}

/** The queries of this process by file: several entities share a virtualenv, and an index that is down is asked once. */
const queries = new Map<string, Promise<Answer | undefined>>();

function queryOnce(file: string, virtualenv: LockedVirtualenv, options: PythonOptions): Promise<Answer | undefined> {
  const running = queries.get(file);
  if (running) return running;
  const query = queryAndKeep(file, virtualenv, options).finally(() => {
    if (options.signal?.aborted) queries.delete(file); // it was stopped and has not failed
  });
  queries.set(file, query);
  return query;
}

async function queryAndKeep(
  file: string,
  virtualenv: LockedVirtualenv,
  options: PythonOptions,
): Promise<Answer | undefined> {
  const { progress = SILENT } = options;
  const packages = await withProgress(progress, 'Querying the package index for withdrawn versions', () =>
    queryWithdrawn(virtualenv, options),
  );
  if (!packages) {
    progress.say('The package index does not say which versions are withdrawn. Using its last answer');
    return undefined;
  }
  const found: Answer = { asked: Date.now(), packages: packages.map((p) => ({ ...p })) };
  await writeFileAtomically(file, JSON.stringify(found));
  return found;
}

async function readAnswer(file: string): Promise<Answer | undefined> {
  const text = await readText(file);
  try {
    return text === undefined ? undefined : answer.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
