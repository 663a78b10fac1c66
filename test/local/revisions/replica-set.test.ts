import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ReplicaSet } from '../../../local/revisions/replica-set.ts';
import { makeLauncher } from '../fake-replica.ts';

describe('ReplicaSet', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const pass = (seconds = 0) => vi.advanceTimersByTimeAsync(seconds * 1000);
  const make = () => {
    const { replicas, launch } = makeLauncher();
    const changes = { count: 0 };
    return { replicas, changes, set: new ReplicaSet(launch, () => (changes.count += 1)) };
  };
  const states = (set: ReplicaSet) => [...set.members].map((m) => m.state);

  it('starts the wanted replicas and retires those with the fewest requests', async () => {
    const { replicas, set } = make();
    set.want(3);
    expect(replicas).toHaveLength(3);
    replicas[0]!.becomeReady();
    replicas[1]!.becomeReady();
    await pass();
    [...set.members][0]!.inFlight = 1;
    set.want(1);
    expect(states(set)).toEqual(['ready', 'stopping', 'stopping']);
    await pass();
    expect(replicas.map((r) => r.stopped)).toEqual([false, true, true]);
    expect(states(set)).toEqual(['ready']);
  });

  it('replaces a replica whose socket was removed, after the replica has finished its request', async () => {
    const { replicas, set } = make();
    set.want(1);
    replicas[0]!.becomeReady();
    await pass();
    const [member] = set.members;
    member!.inFlight = 1;
    replicas[0]!.reachable = false;
    set.replaceUnreachable();
    expect(states(set)).toEqual(['stopping', 'starting']);
    expect(replicas[0]!.stopped).toBe(false);
    member!.inFlight = 0;
    set.released(member!);
    replicas[1]!.becomeReady();
    await pass();
    expect(replicas[0]!.stopped).toBe(true);
    expect(states(set)).toEqual(['ready']);
    expect(set.failure).toBeUndefined();
  });

  it('lets a retired replica finish its request', async () => {
    const { replicas, set } = make();
    set.want(1);
    replicas[0]!.becomeReady();
    await pass();
    const [member] = [...set.members];
    member!.inFlight = 1;
    set.want(0);
    await pass(3600);
    expect(replicas[0]!.stopped).toBe(false);
    member!.inFlight = 0;
    set.released(member!);
    expect(replicas[0]!.stopped).toBe(true);
  });

  it('replaces a replica that died at once, and after a longer delay each further time', async () => {
    const { replicas, set } = make();
    set.want(1);
    const started: number[] = [];
    const begin = Date.now();
    for (let n = 0; n < 5; n++) {
      replicas[n]!.becomeReady();
      await pass();
      replicas[n]!.die();
      await pass();
      while (replicas.length === n + 1) await pass(0.1);
      started.push(Math.round((Date.now() - begin) / 1000));
    }
    expect(started).toEqual([0, 1, 3, 7, 15]);
  });

  it.each([-3600, 3600])('waits no longer and no shorter when the clock is set by %i s', async (seconds) => {
    const { replicas, set } = make();
    set.want(1);
    replicas[0]!.fail();
    await pass();
    replicas[1]!.fail();
    await pass();
    vi.setSystemTime(Date.now() + seconds * 1000);
    await pass(0.9);
    expect(replicas).toHaveLength(2);
    await pass(0.2);
    expect(replicas).toHaveLength(3);
  });

  it('is failed after five failures in a row, keeps trying, and recovers', async () => {
    const { replicas, set } = make();
    set.want(2);
    for (let n = 0; n < 5; n++) {
      replicas.at(-1)!.fail('load', `failure ${n}`);
      await pass(60);
    }
    for (const replica of replicas.slice(0, -1)) replica.die();
    await pass(60);
    expect(set.failure).toMatchObject({ stage: 'load', message: expect.stringMatching(/failure|ended/) as string });
    expect(set.retryAt).toBeGreaterThan(0);
    await pass(120);
    const last = replicas.at(-1)!;
    last.becomeReady();
    await pass();
    expect(set.failure).toBeUndefined();
    expect(set.ready).toBe(1);
    await pass(61);
    expect(set.members.size).toBe(2); // the second replica starts after the first is ready
  });

  it('resets the count of failures after a replica has run for long', async () => {
    const { replicas, set } = make();
    set.want(1);
    replicas[0]!.die();
    await pass();
    replicas[0]!.fail();
    await pass(1);
    replicas.at(-1)!.becomeReady();
    await pass(120);
    const before = replicas.length;
    replicas.at(-1)!.die();
    await pass();
    expect(replicas).toHaveLength(before + 1);
  });

  it('prove() resolves when all replicas are ready', async () => {
    const { replicas, set } = make();
    const done = vi.fn();
    const proof = set.prove(2).then(done);
    replicas[0]!.becomeReady();
    await pass();
    expect(done).not.toHaveBeenCalled();
    replicas[1]!.becomeReady();
    await proof;
    expect(set.ready).toBe(2);
  });

  it('prove() rejects at the first failure without a retry', async () => {
    const { replicas, set } = make();
    const proof = set.prove(2);
    replicas[1]!.fail('predict', 'it raised');
    await expect(proof).rejects.toMatchObject({ stage: 'predict', message: 'it raised' });
    await pass(600);
    expect(replicas).toHaveLength(2);
    await set.close();
    expect(replicas.map((r) => r.stopped)).toEqual([true, true]);
  });

  it('prove() rejects when a replica dies before the others are ready', async () => {
    const { replicas, set } = make();
    const proof = set.prove(2);
    replicas[0]!.becomeReady();
    await pass();
    replicas[0]!.die('it was ended by SIGSEGV');
    await expect(proof).rejects.toMatchObject({
      stage: 'serve',
      message: expect.stringContaining('SIGSEGV') as string,
    });
  });
});
