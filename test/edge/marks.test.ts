import { createPublicKey, verify } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Marks } from '../../edge/marks.ts';
import { type KubernetesApi, KubernetesRefused } from '../../kubernetes/client/api.ts';
import { ensureSigningKeys, readAcceptedKey } from '../../kubernetes/client/mark-objects.ts';
import { makeMark, makeMarkKey, readMarkKeys, readPublicKey } from '../../kubernetes/marks.ts';
import { endpointObjectName } from '../../schemas/environment/kubernetes-names.ts';
import { FakeCluster, makeEntry } from './fake-cluster.ts';
import { ask, startTestEdge, waitForReady } from './start-test-edge.ts';

const IRIS = `models/${endpointObjectName('iris')}`;

/** As a model server verifies it: test/runtime/front/marks_test.py has marks of this code. */
function isMark(mark: string, pem: string, endpoint: string): boolean {
  const [expiry = '', signature = ''] = mark.split('.');
  const signed = Buffer.from(`davit-mark:1:${endpoint}:${expiry}`);
  return verify('sha256', signed, createPublicKey(pem), Buffer.from(signature, 'base64url'));
}

describe('marks', () => {
  let folder: string;
  let pems: readonly [string, string];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'davit-marks-'));
    pems = [await makeMarkKey(), await makeMarkKey()];
    await writeFile(join(folder, 'key.pem'), pems[0]);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('are signed for one endpoint, last as long as a request may take, and are reused for a while', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000_000_000 });
    onTestFinished(() => void vi.useRealTimers());
    const marks = await Marks.read({ folder, seconds: 600 }, 'models');
    const mark = marks.of('iris');
    expect(mark).toMatch(/^1000000630\./);
    expect([isMark(mark, pems[0], IRIS), isMark(mark, pems[0], 'models/other')]).toEqual([true, false]);
    vi.setSystemTime(1_000_000_029_000);
    expect(marks.of('iris')).toBe(mark);
    vi.setSystemTime(1_000_000_030_000);
    expect(marks.of('iris')).toMatch(/^1000000660\./);
    vi.setSystemTime(999_999_000_000); // a clock that was set back
    expect(marks.of('iris')).toMatch(/^999999630\./);
  });

  it('are signed with the earlier key as well, while revisions accept it', () => {
    const keys = readMarkKeys(pems);
    const [current = '', previous = ''] = makeMark(keys, IRIS, 2_000_000_000).split(',');
    expect([isMark(current, pems[0], IRIS), isMark(previous, pems[1], IRIS)]).toEqual([true, true]);
    expect(readPublicKey(keys)).toBe(readPublicKey(readMarkKeys([pems[0]])));
  });

  it('are on every query that may pass, and on nothing else', async () => {
    const cluster = await FakeCluster.start();
    cluster.users.set('ann', { username: 'ann', groups: ['science'] });
    cluster.putEntry(makeEntry());
    const edge = await startTestEdge(cluster, { marks: { folder, seconds: 600 } });
    await waitForReady(edge);
    onTestFinished(async () => {
      await edge.close();
      cluster.stop();
    });
    const check = (token: string) =>
      ask(edge.ports.traffic, 'POST', '/check/serving-endpoints/iris/invocations', {
        headers: { authorization: `Bearer ${token}` },
      });
    expect(isMark(String((await check('ann')).headers['x-davit-mark']), pems[0], IRIS)).toBe(true);
    expect((await check('eve')).headers['x-davit-mark']).toBeUndefined();
  });

  it('refuse to start without keys', async () => {
    await expect(Marks.read({ folder: `${folder}/none`, seconds: 1 }, 'models')).rejects.toThrow('ENOENT');
    expect(() => readMarkKeys([])).toThrow('there is no key');
  });
});

describe('ensureSigningKeys()', () => {
  it('makes a key once, takes what another update has made, and never replaces one', async () => {
    let secret: { data: Record<string, string> } | undefined;
    let creations = 0;
    const api = {
      get: () => Promise.resolve(secret),
      create: (_path: string, { stringData }: { stringData: Record<string, string> }) => {
        creations += 1;
        const data = Object.entries(stringData).map(([k, v]) => [k, Buffer.from(v).toString('base64')]);
        secret ??= { data: Object.fromEntries(data) as Record<string, string> };
        const conflict = new KubernetesRefused('create', { status: 409, reason: 'AlreadyExists', message: '' });
        return creations > 1 ? Promise.reject(conflict) : Promise.resolve({});
      },
    } as unknown as KubernetesApi;
    const made = await Promise.all([ensureSigningKeys(api, 'davit-system'), ensureSigningKeys(api, 'davit-system')]);
    const again = await ensureSigningKeys(api, 'davit-system');
    expect(new Set([...made, again].map(readPublicKey)).size).toBe(1);
    expect(creations).toBe(2);
  });
});

describe('readAcceptedKey()', () => {
  it('takes a platform of an earlier version, which may not be read, for one without marks', async () => {
    const answer = (status: number) =>
      ({
        get: () => Promise.reject(new KubernetesRefused('get', { status, reason: '', message: '' })),
      }) as unknown as KubernetesApi;
    expect(await readAcceptedKey(answer(403), 'davit-system')).toBeUndefined();
    await expect(readAcceptedKey(answer(500), 'davit-system')).rejects.toThrow('500');
  });
});
