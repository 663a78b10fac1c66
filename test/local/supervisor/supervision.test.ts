import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PutRevisionRequest, PutRouteRequest } from '../../../local/control/control-protocol.ts';
import { ControlClient } from '../../../local/control/control-client.ts';
import { makeControlServer } from '../../../local/control/control-server.ts';
import { Supervision, TICK_MILLISECONDS } from '../../../local/supervisor/supervision.ts';
import { digestModel } from '../../../system/model-digest.ts';
import { queryEndpoint } from '../../prober/query-endpoint.ts';

/** Tests a supervisor inside this process, with fake model servers, a real socket and a real gateway. */
describe('Supervision', () => {
  let root: string;
  let model: string;
  let ends: string[];
  const opened: { supervision: Supervision; server: ReturnType<typeof makeControlServer> }[] = [];

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'davit-supervision-'));
    model = join(root, 'models', 'iris', '1');
    await mkdir(model, { recursive: true });
    await writeFile(join(model, 'MLmodel'), 'flavors: {}');
    ends = [];
  });
  afterEach(async () => {
    for (const { supervision, server } of opened.splice(0)) {
      server.close();
      await supervision.close();
    }
    await rm(root, { recursive: true });
  });

  const open = async (what = 'answer', { emptySeconds = 300 } = {}) => {
    const args = [join(import.meta.dirname, '..', 'fake-model-server.ts'), what];
    const supervision = await Supervision.open({
      place: { root, environment: 'local' },
      socketFolder: () => root,
      prepare: () => Promise.resolve({ program: process.execPath, args, env: {} }),
      loadSeconds: 20,
      emptySeconds,
      onEnd: (why) => ends.push(why),
      keeper: () => undefined,
    });
    const socketPath = join(root, `control-${opened.length}.sock`);
    const server = makeControlServer(Promise.resolve(supervision), () => false).listen(socketPath);
    opened.push({ supervision, server });
    return new ControlClient(socketPath);
  };
  const close = async () => {
    const { supervision, server } = opened.pop()!;
    server.close();
    await supervision.close();
  };
  const makePut = async (more: Partial<PutRevisionRequest['revision']> = {}): Promise<PutRevisionRequest> => ({
    revision: {
      name: 'iris-1-0123456789',
      endpoint: 'iris',
      entity: 'iris-1',
      model: { name: 'iris', version: '1', uri: undefined, digest: await digestModel(model) },
      virtualenv: 'v',
      environmentVars: { PASSWORD: 'open sesame' },
      workers: 1,
      timeLimitSeconds: 5,
      bounds: { min: 1, max: 1, scaleToZero: false },
      ...more,
    },
    autoscaling: { idleSeconds: 60, scaleDownSeconds: 10 },
    virtualenv: { python: '3.11', platform: 'x86_64-manylinux_2_28', packages: [] },
    modelDirectory: model,
  });
  const ROUTE: PutRouteRequest = {
    endpoint: 'iris',
    description: 'Flowers',
    tags: [],
    entities: [{ name: 'iris-1', revision: 'iris-1-0123456789', trafficPercentage: 100 }],
    gateway: {},
  };

  it('refuses a truncated state, and names the remedy', async () => {
    const folder = join(root, '.davit', 'environments', 'local');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'supervisor.json'), '{"version": 1, "rev');
    await expect(open()).rejects.toThrow(
      /^Cannot read \S+supervisor\.json: .+, expected the state that the supervisor wrote\. Remove \S+local and run npx davit up/,
    );
  });

  it('makes a revision and its route, answers, and has the same state after a restart', async () => {
    const first = await open();
    const progress: string[] = [];
    const put = await first.putRevision(await makePut(), { progress: { say: (line) => progress.push(line) } });
    expect(put).toMatchObject({ name: 'iris-1-0123456789', state: 'ready', replicas: [{ state: 'ready' }] });
    expect(progress[0]).toBe('Loading iris-1 …');
    const { url } = await first.putRoute(ROUTE);
    const token = await first.makeToken();
    expect((await queryEndpoint(url, token, {})).status).toBe(200);
    const before = await first.status();
    await close();
    expect((await queryEndpoint(url, token, {})).status).toBe(0);
    const second = await open();
    expect((await queryEndpoint(url, token, {})).status).toBe(200);
    const after = await second.status();
    expect(after.endpoints).toEqual(before.endpoints);
    expect(after).toMatchObject({ tokens: 1, gateway: before.gateway, revisions: [{ state: 'ready' }] });
    await second.revokeTokens();
    expect((await queryEndpoint(url, token, {})).status).toBe(401);
    const short = await second.makeShortToken(60);
    expect((await queryEndpoint(url, short, {})).status).toBe(200);
    expect((await queryEndpoint(url, await second.makeShortToken(-1), {})).status).toBe(401);
  });

  it("sends a model server the model's own example, even if it is not valid JSON", async () => {
    await writeFile(join(model, 'serving_input_example.json'), '{"inputs": [NaN]}');
    const loading = { mode: 'separate', found: ['2 threads', '1 open file'] };
    const served = await (await open('example:200')).putRevision(await makePut());
    expect(served).toMatchObject({ state: 'ready', replicas: [{ state: 'ready', loading }] });
  });

  it.each([
    ['has no example, which is fine', 'example:501', undefined],
    ['fails it', 'example:500', 'The model answers its own example with status 500: because'],
  ])('follows the response of a model server whose model %s', async (_what, server, message) => {
    const put = (await open(server)).putRevision(await makePut());
    if (message === undefined) expect(await put).toMatchObject({ state: 'ready' });
    else await expect(put).rejects.toMatchObject({ error: { failure: { stage: 'predict', message } } });
  });

  it('keeps secrets in files that only this user can read, and a failed revision until it is deleted', async () => {
    const client = await open('fail');
    await expect(client.putRevision(await makePut())).rejects.toMatchObject({
      error: {
        code: 'failed',
        failure: { stage: 'import', message: 'No module named x', log: ['model.py:1 in load'] },
      },
    });
    const folder = join(root, '.davit', 'environments', 'local');
    const text = await readFile(join(folder, 'supervisor.json'), 'utf8');
    expect(text).not.toContain('sesame');
    await close();
    const again = await open();
    expect(await again.status()).toMatchObject({
      revisions: [{ name: 'iris-1-0123456789', state: 'failed', failure: { stage: 'import' } }],
    });
    await expect(again.putRoute(ROUTE)).rejects.toMatchObject({ error: { code: 'not-ready' } });
    expect((await again.putRevision(await makePut())).state).toBe('ready'); // retried, with a working server
    const kept = join(folder, 'revisions', 'iris-1-0123456789');
    expect((await stat(kept)).mode & 0o777).toBe(0o700);
    expect((await stat(join(kept, 'revision.json'))).mode & 0o777).toBe(0o600);
    expect(await again.deleteRevision('iris-1-0123456789')).toEqual({ ending: true });
    expect(ends).toEqual(['empty']);
    expect(await readdir(join(folder, 'revisions'))).toEqual([]);
    expect(await readdir(join(folder, 'logs'))).toEqual([]);
  });

  it("refuses shares whose sum is not 100 %, another endpoint's revision, and deleting a revision in use", async () => {
    const client = await open();
    await client.putRevision(await makePut());
    const half = { ...ROUTE, entities: ROUTE.entities.map((e) => ({ ...e, trafficPercentage: 50 })) };
    await expect(client.putRoute(half)).rejects.toMatchObject({ error: { code: 'bad-request' } });
    await expect(client.putRoute({ ...ROUTE, endpoint: 'other' })).rejects.toMatchObject({
      error: { code: 'not-ready' },
    });
    expect((await client.status()).gateway.url).toBeUndefined(); // a refused route opens no port
    await client.putRoute(ROUTE);
    await expect(client.deleteRevision('iris-1-0123456789')).rejects.toMatchObject({ error: { code: 'in-use' } });
    await expect(client.patchRevision('none', { ...(await makePut()), bounds: ROUTE as never })).rejects.toMatchObject({
      error: { code: 'unknown' },
    });
    expect(await client.deleteRoute('iris')).toEqual({ ending: false });
    expect(await client.deleteRevision('never-was')).toEqual({ ending: false });
    expect(await client.deleteRevision('iris-1-0123456789')).toEqual({ ending: true });
  });

  it('removes the unfinished revision of a killed supervisor', async () => {
    const unfinished = join(root, '.davit', 'environments', 'local', 'revisions', 'iris-2-ffffffffff');
    await mkdir(unfinished, { recursive: true });
    const client = await open();
    expect((await client.status()).revisions).toEqual([]);
    await expect(stat(unfinished)).rejects.toThrow();
  });

  it('ends when the only revision was stopped before it was ready, and leaves no file of it', async () => {
    const client = await open('never');
    const stop = new AbortController();
    const progress = { say: () => stop.abort(new Error('Stopped by this test')) }; // it is loading
    const put = client.putRevision(await makePut(), { progress, signal: stop.signal });
    await expect(put).rejects.toThrow('Stopped by this test');
    await expect.poll(() => ends, { timeout: 20_000 }).toContain('empty');
    expect(await readdir(join(root, '.davit', 'environments', 'local', 'revisions'))).toEqual([]);
  });

  it('ends if it never receives a revision', async () => {
    await open('answer', { emptySeconds: 0 });
    await expect.poll(() => ends, { timeout: 20_000 }).toContain('empty');
  });

  it('does not end while it has a revision', async () => {
    const client = await open('answer', { emptySeconds: 0 });
    await client.putRevision(await makePut());
    const before = ends.length;
    await sleep(2 * TICK_MILLISECONDS);
    expect(ends.length).toBe(before);
  });
});
