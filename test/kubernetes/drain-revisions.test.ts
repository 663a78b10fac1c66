import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import type { ApiRequest } from '../../kubernetes/client/connection.ts';
import { drainRevisions } from '../../kubernetes/drain-revisions.ts';

const AWAKE = { desiredScale: 1, actualScale: 1 };
const LIMIT_SECONDS = 300;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test('asks every old revision often enough to reach all activators, and none that stays or is being deleted', async () => {
  const { drain, asked, most } = makeCluster({ old: AWAKE, older: AWAKE, ending: AWAKE, kept: AWAKE }, () => 200);
  await drain();
  expect(asked.get('old')).toBe(24);
  expect(asked.get('older')).toBe(24);
  expect([...asked.keys()].sort()).toEqual(['old', 'older']);
  expect(most).toEqual({ old: 1, older: 1 }); // more at once would be a reason to start replicas
});

test('wakes no revision that is scaled to zero', async () => {
  const { drain, asked } = makeCluster({ old: { desiredScale: 0, actualScale: 0 } }, () => 200);
  await drain();
  expect([...asked]).toEqual([]);
});

test('waits for a replica that restarts, and says so', async () => {
  let isUp = false;
  const scale = { desiredScale: 1, actualScale: 0, since: Date.now() };
  const { drain, said } = makeCluster({ old: scale }, () => (isUp ? 200 : 503));
  const done = vi.fn();
  const draining = drain().then(done);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(done).not.toHaveBeenCalled();
  expect(said).toEqual(['old: answers the requests that wait for it']);
  isUp = true;
  await vi.advanceTimersByTimeAsync(2000);
  await draining;
  expect(said).toHaveLength(1);
});

test('does not wait for a revision that has been dead for a minute', async () => {
  const dead = { desiredScale: 1, actualScale: 0, since: Date.now() - 61_000 };
  const { drain, said } = makeCluster({ old: dead }, () => 503);
  await drain();
  expect(said).toEqual(['old: has had no replica for a minute, so requests that wait for it get no answer']);
});

test('does not wait longer than a request may take', async () => {
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((milliseconds) => {
    const limit = new AbortController();
    setTimeout(() => limit.abort(), milliseconds); // the real one does not see the test's clock
    return limit.signal;
  });
  const { drain } = makeCluster({ old: AWAKE }, () => 503);
  const draining = drain();
  await vi.advanceTimersByTimeAsync(LIMIT_SECONDS * 1000 + 2000);
  await draining;
});

test('a revision that is gone is drained, and an outage of the API server is no answer', async () => {
  let count = 0;
  const { drain, asked } = makeCluster({ old: AWAKE }, () => {
    if (count++ < 2) throw new Error('connection refused');
    return 404;
  });
  const draining = drain();
  await vi.advanceTimersByTimeAsync(3000);
  await draining;
  expect(asked.get('old')).toBe(26);
});

test('ends at once when nobody waits any more', async () => {
  const stop = new AbortController();
  const { drain } = makeCluster({ old: AWAKE }, () => 503, stop.signal);
  const draining = expect(drain()).rejects.toThrow('Ctrl-C');
  await vi.advanceTimersByTimeAsync(100);
  stop.abort(new Error('Ctrl-C'));
  await vi.advanceTimersByTimeAsync(0);
  await draining;
});

interface Scale {
  readonly desiredScale: number;
  readonly actualScale: number;
  readonly since?: number;
}

/** A cluster with revisions whose model servers answer with the status that `answer` gives. */
function makeCluster(
  scales: Readonly<Record<string, Scale>>,
  answer: () => number,
  signal = new AbortController().signal,
) {
  const asked = new Map<string, number>();
  const open: Record<string, number> = {};
  const most: Record<string, number> = {};
  const said: string[] = [];
  const revisions = Object.keys(scales).map((name) => ({
    metadata: { name, ...(name === 'ending' && { deletionTimestamp: '2026-11-30T00:00:00Z' }) },
    spec: { timeoutSeconds: LIMIT_SECONDS },
  }));
  const api = {
    list: () => Promise.resolve(revisions),
    get: (path: string) => {
      const { since, ...scale } = scales[path.split('/').at(-1) ?? '']!;
      const lastTransitionTime = new Date(since ?? Date.now()).toISOString();
      return Promise.resolve({ status: { ...scale, conditions: [{ type: 'Ready', lastTransitionTime }] } });
    },
    send: async ({ headers }: ApiRequest) => {
      const name = String(headers?.['knative-serving-revision']);
      asked.set(name, (asked.get(name) ?? 0) + 1);
      open[name] = (open[name] ?? 0) + 1;
      most[name] = Math.max(most[name] ?? 0, open[name]);
      await Promise.resolve();
      open[name]--;
      return { status: answer(), headers: {}, body: '' };
    },
  } as unknown as KubernetesApi;
  const drain = () =>
    drainRevisions(api, {
      namespace: 'models',
      endpoint: 'iris',
      kept: new Set(['kept']),
      signal,
      say: (revision, line) => said.push(`${revision}: ${line}`),
    });
  return { drain, asked, most, said };
}
