import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { modelServerDied } from '../../../serving-api/refusal.ts';
import { Refused } from '../../../serving-api/refusal-error.ts';
import { answerQuery, type QueryClient } from '../../../local/gateway/answer-query.ts';
import { RevisionPool, type PoolSettings } from '../../../local/revisions/revision-pool.ts';
import { NotStarted } from '../../../local/revisions/model-server-errors.ts';
import { makeLauncher, OK } from '../fake-replica.ts';

const QUERY = { headers: {}, body: Buffer.from('{}') };
const SETTINGS: PoolSettings = {
  entity: 'iris-1',
  workers: 2,
  bounds: { min: 2, max: 4, scaleToZero: false },
  autoscaling: { idleSeconds: 60, scaleDownSeconds: 10 },
};

describe('RevisionPool', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const pass = (seconds = 0) => vi.advanceTimersByTimeAsync(seconds * 1000);
  const asker = (): QueryClient & { gone: boolean } => ({ gone: false, onGone: undefined });
  const status = (answer: Promise<unknown>) =>
    answer.catch((e: unknown) => (e instanceof Refused ? e.refusal.status : String(e)));
  const make = async (more: Partial<PoolSettings> = {}) => {
    const { replicas, launch } = makeLauncher();
    const pool = new RevisionPool({ ...SETTINGS, ...more }, launch);
    const proof = pool.prove();
    for (const replica of replicas) replica.becomeReady();
    await proof;
    return { pool, replicas, query: (who = asker()) => answerQuery(pool, QUERY, who) };
  };

  it('gives each request a unit of the replica with the fewest requests, and scales up for more', async () => {
    const { pool, replicas, query } = await make();
    const answers = [query(), query(), query(), query(), query()];
    await pass();
    expect(replicas).toHaveLength(2);
    expect(pool).toMatchObject({ inFlight: 2, queued: 3 });
    replicas[1]!.becomeReady();
    await pass();
    expect(replicas.map((r) => r.asked.length)).toEqual([2, 2]);
    expect(pool).toMatchObject({ inFlight: 4, queued: 1 });
    for (const { answer } of [...replicas[0]!.asked, ...replicas[1]!.asked]) answer(OK);
    await pass();
    replicas
      .flatMap((r) => r.asked)
      .at(-1)!
      .answer(OK);
    await pass();
    for (const { answer } of replicas[0]!.asked) answer(OK);
    expect(await Promise.all(answers)).toEqual(Array(5).fill(OK));
    expect(pool).toMatchObject({ inFlight: 0, queued: 0 });
  });

  it('does not count as idle while a model loads, even if loading takes longer than the idle time', async () => {
    const { replicas, launch } = makeLauncher();
    const bounds = { min: 0, max: 4, scaleToZero: true };
    const pool = new RevisionPool(
      { ...SETTINGS, bounds, autoscaling: { idleSeconds: 1, scaleDownSeconds: 10 } },
      launch,
    );
    const proof = pool.prove();
    for (let second = 0; second < 5; second++) {
      await pass(1);
      pool.tick();
    }
    expect(replicas.map((r) => r.stopped)).toEqual([false]);
    replicas[0]!.becomeReady();
    await proof;
    pool.tick();
    expect(pool.wanted).toBe(1);
    await pass(1);
    pool.tick();
    expect(pool.wanted).toBe(0);
  });

  it('resends a request that was not begun, but never one that may have begun', async () => {
    const { replicas, query } = await make();
    const [again, lost] = [query(), status(query())];
    await pass();
    replicas[0]!.asked[0]!.answer(new NotStarted('full'));
    replicas[0]!.asked[1]!.answer(new Refused(modelServerDied('iris-1')));
    await pass(1);
    expect(replicas[0]!.asked).toHaveLength(3);
    replicas[0]!.asked[2]!.answer(OK);
    expect(await again).toEqual(OK);
    expect(await lost).toBe(502);
  });

  it.each([-3600, 3600])(
    'neither refuses, pauses nor stops anything when the clock is set by %i s',
    async (seconds) => {
      const { pool, replicas, query } = await make({ bounds: { min: 0, max: 2, scaleToZero: true } });
      const [again, other, waiting] = [query(), query(), query()];
      await pass();
      replicas[0]!.asked[0]!.answer(new NotStarted('full'));
      await pass();
      vi.setSystemTime(Date.now() + seconds * 1000);
      pool.tick();
      expect(pool).toMatchObject({ wanted: 1, inFlight: 1, queued: 2 });
      await pass(1);
      replicas[0]!.asked[1]!.answer(OK);
      await pass();
      for (const { answer } of replicas[0]!.asked.slice(2)) answer(OK);
      await pass();
      for (const { answer } of replicas[0]!.asked.slice(2)) answer(OK);
      expect(await Promise.all([again, other, waiting])).toEqual([OK, OK, OK]);
    },
  );

  it('gives the place of a client that disconnected to the next request', async () => {
    const { pool, replicas, query } = await make({ bounds: { min: 2, max: 2, scaleToZero: false } });
    const [leaver, busy] = [asker(), [query(), query()]];
    const [left, next] = [query(leaver), query()];
    await pass();
    expect(pool.queued).toBe(2);
    leaver.gone = true;
    leaver.onGone!();
    expect(await left).toBeUndefined();
    expect(pool.queued).toBe(1);
    replicas[0]!.asked[0]!.answer(OK);
    await pass();
    expect(pool).toMatchObject({ inFlight: 2, queued: 0 });
    replicas[0]!.asked[1]!.answer(OK);
    replicas[0]!.asked[2]!.answer(OK);
    await Promise.all([...busy, next]);
    expect(pool.inFlight).toBe(0);
  });

  it('loses no unit to a client that had disconnected before its turn', async () => {
    const { pool, query } = await make();
    expect(await query({ gone: true, onGone: undefined })).toBeUndefined();
    await pass();
    expect(pool.inFlight).toBe(0);
  });

  it('answers 429 if the queue is full, and 503 after a long wait', async () => {
    const { query } = await make({ bounds: { min: 2, max: 2, scaleToZero: false } });
    void query();
    void query();
    const waiting = Array.from({ length: 64 }, () => status(query()));
    expect(await status(query())).toBe(429);
    await pass(59);
    expect(await Promise.race([waiting[0], Promise.resolve('waits')])).toBe('waits');
  });

  it('refuses, on a tick, the requests that have waited for a minute', async () => {
    const { pool, query } = await make({ bounds: { min: 2, max: 2, scaleToZero: false } });
    void query();
    void query();
    const waiting = status(query());
    await pass(61);
    pool.tick();
    expect(await waiting).toBe(503);
  });

  it('stops its replicas when idle, and starts one for a request, which waits', async () => {
    const { pool, replicas, query } = await make({ bounds: { min: 0, max: 4, scaleToZero: true } });
    await pass(60);
    pool.tick();
    await pass();
    expect([replicas[0]!.stopped, pool.members.length]).toEqual([true, 0]);
    const answer = query();
    await pass(120);
    pool.tick();
    expect(replicas).toHaveLength(2);
    replicas[1]!.becomeReady();
    await pass();
    replicas[1]!.asked[0]!.answer(OK);
    expect(await answer).toEqual(OK);
  });

  it('answers 503 at once, with the cause, while it is failed', async () => {
    const { pool, replicas, query } = await make();
    replicas[0]!.die();
    await pass();
    const waiting = status(query());
    for (let n = 0; n < 4; n++) {
      replicas.at(-1)!.fail('load', 'No module named x');
      await pass(2 ** n);
    }
    expect(await waiting).toBe(503);
    expect(pool.failure).toMatchObject({ message: 'No module named x' });
    await expect(query()).rejects.toThrow('No module named x');
    await pass(60);
    replicas.at(-1)!.becomeReady();
    await pass();
    const answer = query();
    await pass();
    replicas.at(-1)!.asked[0]!.answer(OK);
    expect(await answer).toEqual(OK);
  });

  it('drains: answers its requests, accepts no new ones, then stops', async () => {
    const { pool, replicas, query } = await make();
    const last = query();
    await pass();
    const drained = vi.fn();
    const draining = pool.drain(100).then(drained);
    expect(await status(Promise.resolve().then(() => pool.take().place))).not.toBe(429);
    await pass(50);
    expect(drained).not.toHaveBeenCalled();
    replicas[0]!.asked[0]!.answer(OK);
    expect(await last).toEqual(OK);
    await pass(51);
    await draining;
    expect(replicas.every((r) => r.stopped)).toBe(true);
  });

  it('drains as long as a request may wait in its replica and then be predicted', async () => {
    const { pool, replicas, query } = await make();
    const last = query();
    await pass();
    replicas[0]!.longestWaitSeconds = 250;
    const draining = pool.drain(100);
    await pass(349);
    expect(replicas.some((r) => r.stopped)).toBe(false);
    await pass(2);
    await draining;
    expect(replicas.every((r) => r.stopped)).toBe(true);
    replicas[0]!.asked[0]!.answer(OK);
    await last;
  });
});
