import type { LimitExceeded, RateLimitCounter, RateLimitCounters } from '../../serving-api/rate-limits.ts';
import { LATENCY_BUCKETS_MS, type TrafficCounts } from '../../serving-api/traffic-counter.ts';
import type { CountsByEntity } from './traffic-counts.ts';
import { isRecord } from '../../schemas/values/is-record.ts';

/** Longer than the name of any endpoint, user or group. */
const MAX_TEXT = 4096;
type Fields = Readonly<Record<string, unknown>>;

// Every function here throws a TypeError for a value that is not exactly of its type.

/** Parses the body of `POST /take`. */
export function parseDemand(value: unknown): RateLimitCounters {
  const { every, some } = readFields(value, ['every', 'some']);
  return { every: readList(every, parseCounter), some: readList(some, parseCounter) };
}

/** Parses the answer to `POST /take`. */
export function parseTaken(value: unknown): LimitExceeded {
  const { full } = readFields(value, [], ['full']);
  if (full === undefined) return undefined;
  const { counted, retrySeconds } = readFields(full, ['counted', 'retrySeconds']);
  return { counted: parseCounter(counted), retrySeconds: readNumber(retrySeconds) };
}

/** Parses the body of `POST /counts` and returns the name of the endpoint. */
export function parseCountsQuery(value: unknown): string {
  return readText(readFields(value, ['endpoint'])['endpoint']);
}

/** Parses the answer to `POST /counts`. */
export function parseCounts(value: unknown): CountsByEntity {
  if (!isRecord(value)) throw new TypeError('expected an object');
  return Object.fromEntries(Object.entries(value).map(([name, counts]) => [readText(name), parseTraffic(counts)]));
}

function parseCounter(value: unknown): RateLimitCounter {
  const { name, what, calls, seconds } = readFields(value, ['name', 'what', 'calls', 'seconds']);
  return { name: readText(name), what: readText(what), calls: readNumber(calls), seconds: readNumber(seconds) };
}

function parseTraffic(value: unknown): TrafficCounts {
  const { lastMinute, latency } = readFields(value, ['lastMinute', 'latency']);
  const { all, client, server } = readFields(lastMinute, ['all', 'client', 'server']);
  const { buckets, sum, total } = readFields(latency, ['buckets', 'sum', 'total']);
  const counts = readList(buckets, readNumber);
  if (counts.length !== LATENCY_BUCKETS_MS.length + 1) throw new TypeError('expected another number of buckets');
  return {
    lastMinute: { all: readNumber(all), client: readNumber(client), server: readNumber(server) },
    latency: { buckets: counts, sum: readNumber(sum), total: readNumber(total) },
  };
}

function readFields(value: unknown, required: readonly string[], optional: readonly string[] = []): Fields {
  if (!isRecord(value)) throw new TypeError('expected an object');
  const names = Object.keys(value);
  const known = [...required, ...optional];
  if (required.some((n) => !names.includes(n)) || names.some((n) => !known.includes(n)))
    throw new TypeError(`expected the fields ${known.join(', ')}`);
  return value;
}

function readList<T>(value: unknown, parse: (item: unknown) => T): readonly T[] {
  if (!Array.isArray(value)) throw new TypeError('expected a list');
  return value.map(parse);
}

function readText(value: unknown): string {
  if (typeof value !== 'string' || value.length > MAX_TEXT)
    throw new TypeError(`expected a text of ${MAX_TEXT} characters or less`);
  return value;
}

function readNumber(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0)
    throw new TypeError('expected a number that is not negative');
  return value;
}
