import { access, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControlClient } from '../../local/control/control-client.ts';
import type { PutRevisionRequest } from '../../local/control/control-protocol.ts';
import { queryEndpoint } from '../prober/query-endpoint.ts';
import { expectNoFailure, expectSwitch, probeDuring } from '../prober/probe.ts';
import {
  endProject,
  makeRevisionRequest,
  makeRoute,
  makeObedientInput,
  listProjectProcesses,
  type Project,
  serve,
  superviseProject,
  waitUntil,
} from './local-project.ts';

describe('the supervisor', () => {
  let project: Project;
  let client: ControlClient;
  let first: PutRevisionRequest;
  let url: string;
  let token: string;

  const query = (what = 'answer', seconds = 0) => queryEndpoint(url, token, makeObedientInput(what, seconds));
  const revision = async (name: string) => (await client.status()).revisions.find((r) => r.name === name);

  beforeAll(async () => {
    const supervised = await superviseProject();
    ({ project, client, token } = supervised);
    ({ put: first, url } = await serve(supervised));
  });

  afterAll(async () => expect(await endProject(project)).toEqual([]));

  it('updates without a failed request while 8 clients send requests', async () => {
    const second = await makeRevisionRequest(project, { entity: 'obedient-2', environmentVars: { VERSION: '2' } });
    const headers = { authorization: `Bearer ${token}` };
    const question = { url, headers, body: JSON.stringify(makeObedientInput('sleep', 0.01)) };
    const { report } = await probeDuring(question, async () => {
      await client.putRevision(second);
      await client.putRoute(makeRoute(second));
      await client.deleteRevision(first.revision.name);
    });
    expectNoFailure(report, { atLeast: 50 });
    expectSwitch(report, 'obedient-1', 'obedient-2');
    expect((await query()).headers['served-model-name']).toBe('obedient-2');
    first = second;
  });

  it('keeps the old revision when the new one crashes while it loads, and reports the cause', async () => {
    const crashing = await makeRevisionRequest(project, { environmentVars: { OBEDIENT_AT_LOAD: 'segfault' } });
    const { name } = crashing.revision;
    const refused = await client.putRevision(crashing).catch((e: unknown) => e);
    expect(refused).toMatchObject({ error: { code: 'failed', failure: { stage: 'load' } } });
    expect((refused as Error).message).toMatch(/SIGSEGV/);
    expect(await revision(name)).toMatchObject({ state: 'failed', replicas: [] });
    const routed = await client.putRoute(makeRoute(crashing)).catch((e: unknown) => e);
    expect(routed).toMatchObject({ error: { code: 'not-ready' } });
    expect((await query()).status).toBe(200);
    await client.deleteRevision(name);
    expect(await revision(name)).toBeUndefined();
  });

  it('reports the exception of a model that cannot predict its example', async () => {
    const raising = await makeRevisionRequest(project, { model: 'h_raises', entity: 'raising' });
    const refused = await client.putRevision(raising).catch((e: unknown) => e);
    expect(refused).toMatchObject({ error: { code: 'failed', failure: { stage: 'predict' } } });
    await client.deleteRevision(raising.revision.name);
  });

  it('refuses a model that is not the locked one', async () => {
    const put = await makeRevisionRequest(project, { environmentVars: { STALE: '1' } });
    await writeFile(join(put.modelDirectory, 'extra.txt'), 'changed after the lock');
    const refused = await client.putRevision(put).catch((e: unknown) => e);
    expect(refused).toMatchObject({ error: { code: 'failed', failure: { stage: 'model' } } });
    expect((refused as Error).message).toContain('npx davit lock obedient');
    await rm(join(put.modelDirectory, 'extra.txt'));
    expect((await client.putRevision(put)).state).toBe('ready'); // the same revision, retried
    await client.deleteRevision(put.revision.name);
  });

  it('stops a revision whose start is cancelled', async () => {
    const put = await makeRevisionRequest(project, { environmentVars: { CANCELLED: '1' } });
    const { name } = put.revision;
    const stop = new AbortController();
    const putting = client.putRevision(put, { signal: stop.signal });
    await waitUntil(
      () => revision(name),
      (r) => r?.replicas[0]?.pid !== undefined,
    );
    stop.abort(new Error('Ctrl-C'));
    await expect(putting).rejects.toThrow('Ctrl-C');
    await waitUntil(
      () => revision(name),
      (r) => r === undefined,
    );
    expect((await listProjectProcesses(project)).filter((line) => line.includes(name))).toEqual([]);
  });

  it('restarts a replica from its own copy, even if the model in the checkout has changed', async () => {
    await writeFile(join(first.modelDirectory, 'MLmodel'), 'broken');
    const [replica] = (await revision(first.revision.name))!.replicas;
    process.kill(replica!.pid!, 'SIGKILL');
    await waitUntil(
      () => revision(first.revision.name),
      (r) => r?.state === 'recovering',
    );
    expect((await query()).status).toBe(200);
  });

  it('drains a revision before it deletes it, and does not delete a routed revision', async () => {
    const other = await makeRevisionRequest(project, { entity: 'other' });
    await client.putRevision(other);
    const { name, entity } = first.revision;
    const [stays, goes] = [other.revision, { name: entity, revision: name, trafficPercentage: 0 }];
    const entities = [{ name: stays.entity, revision: stays.name, trafficPercentage: 100 }];
    await client.putRoute(makeRoute(other, { entities: [...entities, goes] }));
    expect((await query()).headers['served-model-name']).toBe('other');
    const direct = url.replace('/invocations', `/served-models/${entity}/invocations`);
    const slow = queryEndpoint(direct, token, makeObedientInput('sleep', 2));
    await waitUntil(
      () => revision(name),
      (r) => r?.inFlight === 1,
    );
    await expect(client.deleteRevision(name)).rejects.toMatchObject({ error: { code: 'in-use' } });
    await client.putRoute(makeRoute(other));
    await client.deleteRevision(name);
    expect(await slow).toMatchObject({ status: 200, headers: { 'served-model-name': entity } });
    expect((await queryEndpoint(direct, token, makeObedientInput('answer'))).status).toBe(404);
  });

  it('names the process that has the requested port, and changes nothing', async () => {
    const squatter = createServer();
    const port = await new Promise<number>((done) => {
      squatter.listen(0, '127.0.0.1', () => done((squatter.address() as { port: number }).port));
    });
    const [route] = (await client.status()).endpoints;
    const asked = { ...makeRoute(first), endpoint: 'obedient', entities: route!.entities, gateway: { port } };
    const refused = await client.putRoute(asked).catch((e: unknown) => e);
    expect(refused).toMatchObject({ error: { code: 'port-taken' } });
    expect((refused as Error).message).toContain(`process ${process.pid} (`);
    expect((await client.status()).endpoints[0]).toEqual(route);
    await new Promise((done) => squatter.close(done));
    const moved = await client.putRoute(asked);
    expect(moved.url).toContain(`:${port}/`);
    expect((await queryEndpoint(moved.url, token, makeObedientInput('answer'))).status).toBe(200);
    url = moved.url;
  });

  it('keeps its state readable only for this user, and no token in it', async () => {
    const folder = join(project.root, '.davit', 'environments', 'local');
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'supervisor.json'))).mode & 0o777).toBe(0o600);
    const text = await readFile(join(folder, 'supervisor.json'), 'utf8');
    expect(text).not.toContain(token);
    expect(text).not.toContain('davit_');
    await expect(access(join(folder, 'supervisor.log'))).resolves.toBeUndefined();
  });
});
