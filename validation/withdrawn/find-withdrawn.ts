import { z } from 'zod';
import type { PythonOptions } from '../../python/find-uv.ts';
import type { LockedVirtualenv } from '../../schemas/lock/lock.ts';
import { readText } from '../../schemas/read-project.ts';
import { contentHash } from '../../schemas/values/names.ts';
import { pluralize } from '../../schemas/values/pluralize.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { cacheFolder } from '../../system/cache.ts';
import { SILENT, withProgress } from '../../system/progress.ts';
import { hashIndex, queryUnlessDown } from './index-outage.ts';
import { listQueried, queryWithdrawn, type WithdrawnPackage } from './query-withdrawn.ts';
import { parseJson } from '../../schemas/values/parse-json.ts';

/** Less than a day, so that a schedule that runs daily queries each time. */
const FRESH_HOURS = 20;

const answer = z.object({
  /** Milliseconds since 1970. */
  asked: z.number(),
  packages: z.array(
    z.object({ name: z.string(), version: z.string(), reason: z.string().optional(), isGone: z.boolean() }),
  ),
  unchecked: z.number(),
  /** A hash of the index that gave it. */
  index: z.string(),
});
type Answer = z.infer<typeof answer>;

export interface WithdrawnOptions extends PythonOptions {
  /** Whether to query the index if its last answer is older than 20 hours. */
  readonly asksIndex: boolean;
}

/** Which locked versions were withdrawn, as far as the index has said it. */
export interface WithdrawnState {
  readonly packages: readonly WithdrawnPackage[];
  /** When the index gave this answer, in milliseconds since 1970. Undefined: it has not answered yet. */
  readonly asked: number | undefined;
  /** Locked packages whose state was not found, because too many versions are deleted. */
  readonly unchecked: number;
}

/**
 * Finds locked versions that were withdrawn after the lock was made. The answer of the index is kept for most of a day,
 * so most calls only read a file. An index that does not answer leaves its last answer. A call that queries no index
 * repeats the last answer of any, because a job without the settings of the index may have taken it over.
 */
export async function findWithdrawn(virtualenv: LockedVirtualenv, options: WithdrawnOptions): Promise<WithdrawnState> {
  if (listQueried(virtualenv.packages).length === 0) return { packages: [], asked: Date.now(), unchecked: 0 };
  const index = hashIndex(process.env);
  const file = locateWithdrawn(virtualenv);
  const last = await readAnswer(file);
  const kept = options.asksIndex && last?.index !== index ? undefined : last;
  const isFresh = kept !== undefined && Date.now() - kept.asked < FRESH_HOURS * 3_600_000;
  const now = options.asksIndex && !isFresh ? await queryOnce({ file, index, kept }, virtualenv, options) : undefined;
  const { packages, asked, unchecked } = now ?? kept ?? { packages: [], asked: undefined, unchecked: 0 };
  return { packages: packages.map((p) => ({ ...p, reason: p.reason })), asked, unchecked };
}

/** Where the last answer about a virtualenv is kept, of whichever index. */
export function locateWithdrawn({ python, platform, packages }: LockedVirtualenv): string {
  const pins = listQueried(packages).map((p) => `${p.name}==${p.version}`);
  return cacheFolder('withdrawn', `${contentHash({ python, platform, pins }).slice(0, 32)}.json`);
}

/** When the index of this machine has answered about every virtualenv: the time of the oldest answer. */
export async function findWithdrawnTime(virtualenvs: readonly LockedVirtualenv[]): Promise<WithdrawnSummary> {
  const index = hashIndex(process.env);
  const queried = virtualenvs.filter((v) => listQueried(v.packages).length > 0);
  const answers = await Promise.all(queried.map((v) => readAnswer(locateWithdrawn(v))));
  return summarizeWithdrawn(
    answers.map((a) => (a?.index === index ? a : undefined) ?? { asked: undefined, unchecked: 0 }),
  );
}

/** For JSON: when the index was queried, and the packages that it was not queried about. */
export interface WithdrawnSummary {
  /** `2026-11-30T09:00:00.000Z`. Null: it has not answered about all packages yet. */
  readonly asked: string | null;
  readonly unchecked: number;
}

export function summarizeWithdrawn(states: readonly Omit<WithdrawnState, 'packages'>[]): WithdrawnSummary {
  const times = states.flatMap((s) => s.asked ?? []);
  const isComplete = states.length > 0 && times.length === states.length;
  return {
    asked: isComplete ? new Date(Math.min(...times)).toISOString() : null,
    unchecked: states.reduce((sum, s) => sum + s.unchecked, 0),
  };
}

interface Query {
  readonly file: string;
  /** A hash. */
  readonly index: string;
  readonly kept: Answer | undefined;
}

/** The queries of this process by file and index, because several entities share a virtualenv. */
const queries = new Map<string, Promise<Answer | undefined>>();

function queryOnce(wanted: Query, virtualenv: LockedVirtualenv, options: PythonOptions): Promise<Answer | undefined> {
  const key = `${wanted.index} ${wanted.file}`;
  const running = queries.get(key);
  if (running) return running;
  const query = queryAndKeep(wanted, virtualenv, options).finally(() => {
    if (options.signal?.aborted) queries.delete(key); // it was stopped and has not failed
  });
  queries.set(key, query);
  return query;
}

async function queryAndKeep(
  { file, index, kept }: Query,
  virtualenv: LockedVirtualenv,
  options: PythonOptions,
): Promise<Answer | undefined> {
  const { progress = SILENT } = options;
  const state = await queryUnlessDown(index, () =>
    withProgress(progress, 'Querying the package index for withdrawn versions', () =>
      queryWithdrawn(virtualenv, options),
    ),
  );
  if (state === undefined || state === 'outage') {
    progress.say(explainNoAnswer(state, kept));
    return undefined;
  }
  const { packages, unchecked } = state;
  if (unchecked > 0)
    progress.say(
      `The package index no longer has many of the locked versions, so ${pluralize(unchecked, 'other package')} could not be checked`,
    );
  const found: Answer = { asked: Date.now(), packages: packages.map((p) => ({ ...p })), unchecked, index };
  await writeFileAtomically(file, JSON.stringify(found));
  return found;
}

/** Says what is known without a new answer. */
export function explainNoAnswer(state: 'outage' | undefined, kept: Pick<Answer, 'asked'> | undefined): string {
  const what =
    state === 'outage'
      ? 'The package index did not respond (another attempt after 15 minutes)'
      : 'The package index does not say which versions are withdrawn';
  return kept
    ? `${what}: using its answer of ${new Date(kept.asked).toISOString().slice(0, 10)}`
    : `${what}: it is not known whether locked versions were withdrawn`;
}

async function readAnswer(file: string): Promise<Answer | undefined> {
  return parseJson(await readText(file), answer);
}
