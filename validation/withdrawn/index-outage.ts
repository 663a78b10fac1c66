import { z } from 'zod';
import { contentHash } from '../../schemas/values/names.ts';
import { maskSecrets } from '../../schemas/values/mask-secrets.ts';
import { readText } from '../../schemas/read-project.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { cacheFolder } from '../../system/cache.ts';
import { parseJson } from '../../schemas/values/parse-json.ts';

const PAUSE_MINUTES = 15;
const outage = z.object({ /** Milliseconds since 1970. */ failed: z.number() });

/** uv's settings that decide which index it asks. Their credentials are no part of it. */
const SETTINGS =
  /^UV_(?:DEFAULT_INDEX|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|CONFIG_FILE|INDEX(?!_.*_(?:USERNAME|PASSWORD)$).*)$/;

/** A hash of the index that uv asks, without the credentials for it. */
export function hashIndex(variables: NodeJS.ProcessEnv): string {
  const settings = Object.entries(variables)
    .filter(([name, value]) => SETTINGS.test(name) && value)
    .map(([name, value = '']) => [name, maskSecrets(value).replaceAll('://…@', '://')] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return contentHash({ index: settings }).slice(0, 32);
}

/**
 * Lets queries of one index run together after its first one has ended. After an outage, none runs in this process, and
 * in others for a quarter of an hour: each would wait as long for an index that hangs.
 */
export async function queryUnlessDown<T>(index: string, query: () => Promise<T | 'outage'>): Promise<T | 'outage'> {
  const file = cacheFolder('withdrawn', `${index}.json`);
  const first = firsts.get(file);
  if (first) return (await first) ? 'outage' : endWith(file, query);
  const result = (async () => ((await isPaused(file)) ? ('outage' as const) : endWith(file, query)))();
  const isDown = result.then(
    (r) => r === 'outage',
    () => false,
  );
  firsts.set(file, isDown);
  try {
    return await result;
  } catch (e) {
    if (firsts.get(file) === isDown) firsts.delete(file); // it was stopped and has not failed
    throw e;
  }
}

/** Whether the first query of this process has failed, by the file that remembers it for others. */
const firsts = new Map<string, Promise<boolean>>();

async function endWith<T>(file: string, query: () => Promise<T | 'outage'>): Promise<T | 'outage'> {
  const found = await query();
  if (found !== 'outage') return found;
  firsts.set(file, Promise.resolve(true));
  await writeFileAtomically(file, JSON.stringify({ failed: Date.now() }));
  return found;
}

async function isPaused(file: string): Promise<boolean> {
  const kept = parseJson(await readText(file), outage);
  return kept !== undefined && Date.now() - kept.failed < PAUSE_MINUTES * 60_000;
}
