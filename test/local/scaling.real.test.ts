import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControlClient } from '../../local/control/control-client.ts';
import { queryEndpoint } from '../prober/query-endpoint.ts';
import {
  endProject,
  makeRevisionRequest,
  makeRoute,
  makeObedientInput,
  listProjectProcesses,
  type Project,
  type RevisionOptions,
  serve,
  type SupervisedProject,
  superviseProject,
  waitUntil,
} from './local-project.ts';

describe('scaling', () => {
  let supervised: SupervisedProject;
  let project: Project;
  let client: ControlClient;
  let token: string;

  const revision = async (name: string) => (await client.status()).revisions.find((r) => r.name === name)!;
  const start = async (wish: RevisionOptions) => {
    const { put, url } = await serve(supervised, wish);
    return { url, name: put.revision.name };
  };

  beforeAll(async () => {
    supervised = await superviseProject();
    ({ project, client, token } = supervised);
  });

  afterAll(async () => expect(await endProject(project)).toEqual([]));

  it('stops an idle revision and wakes it for requests that wait; a wrong token wakes nothing', async () => {
    const { url, name } = await start({
      endpoint: 'sleepy',
      entity: 'sleepy',
      min: 0,
      scaleToZero: true,
      idleSeconds: 1,
    });
    await waitUntil(
      () => revision(name),
      (r) => r.state === 'idle' && r.replicas.length === 0,
    );
    expect((await listProjectProcesses(project)).filter((line) => line.includes(name))).toEqual([]);
    expect((await queryEndpoint(url, 'davit_wrong', makeObedientInput('answer'))).status).toBe(401);
    expect((await queryEndpoint(url, undefined, makeObedientInput('answer'))).status).toBe(401);
    expect((await revision(name)).state).toBe('idle');
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => queryEndpoint(url, token, makeObedientInput('answer'))),
    );
    expect(answers.map((a) => a.status)).toEqual(Array(12).fill(200));
    await waitUntil(
      () => revision(name),
      (r) => r.state === 'idle' && r.replicas.length === 0,
    );
  });

  it('starts replicas for the load up to the maximum and stops them one by one', async () => {
    const wish = { endpoint: 'busy', entity: 'busy', workers: 1, min: 1, max: 3, scaleDownSeconds: 3 };
    const { url, name } = await start(wish);
    // More requests than one replica answers, even on a busy machine, before the others have started.
    const requests = Array.from({ length: 9 }, () => queryEndpoint(url, token, makeObedientInput('sleep', 4)));
    await waitUntil(
      () => revision(name),
      (r) => r.replicas.filter((m) => m.state === 'ready').length === 3 && r.inFlight === 3,
    );
    // The first replica may stop while the last requests are answered.
    const counts = [3];
    const watching = waitUntil(
      async () => {
        const { replicas } = await revision(name);
        if (replicas.length !== counts.at(-1)) counts.push(replicas.length);
        return replicas;
      },
      (replicas) => replicas.length === 1,
    );
    expect((await Promise.all(requests)).map((a) => a.status)).toEqual(Array(9).fill(200));
    await watching;
    expect(counts).toEqual([3, 2, 1]);
    await client.patchRevision(name, {
      bounds: { min: 2, max: 2, scaleToZero: false },
      autoscaling: { idleSeconds: 60, scaleDownSeconds: 60 },
    });
    await waitUntil(
      () => revision(name),
      (r) => r.replicas.filter((m) => m.state === 'ready').length === 2,
    );
  });

  it('answers 429 beyond its queue, 504 beyond the time limit, 413 beyond 16 MB', async () => {
    // Long enough for a busy machine to send 70 requests while the first one runs.
    const { url, name } = await start({ endpoint: 'narrow', entity: 'narrow', workers: 1, timeLimitSeconds: 5 });
    const slow = queryEndpoint(url, token, makeObedientInput('sleep', 30));
    await waitUntil(
      () => revision(name),
      (r) => r.inFlight === 1,
    );
    const crowd = await Promise.all(
      Array.from({ length: 70 }, () => queryEndpoint(url, token, makeObedientInput('answer'))),
    );
    const statuses = crowd.map((a) => a.status).sort();
    expect([...new Set(statuses)]).toEqual([200, 429]);
    expect(statuses.filter((s) => s === 200)).toHaveLength(64);
    expect(crowd.find((a) => a.status === 429)!.headers['retry-after']).toBe('1');
    expect(await slow).toMatchObject({ status: 504, body: expect.stringContaining('DEADLINE_EXCEEDED') as string });
    expect((await queryEndpoint(url, token, 'x'.repeat(17 * 1024 * 1024))).status).toBe(413);
    expect((await queryEndpoint(url, token, makeObedientInput('answer'))).status).toBe(200);
  });

  it('makes ten endpoints at once, and deletes them at once', async () => {
    const names = Array.from({ length: 10 }, (_, i) => `many-${i}`);
    const puts = await Promise.all(
      names.map((n) => makeRevisionRequest(project, { endpoint: n, entity: n, workers: 1 })),
    );
    const routes = await Promise.all(
      puts.map(async (put) => {
        await client.putRevision(put);
        return client.putRoute(makeRoute(put));
      }),
    );
    const answers = await Promise.all(routes.map((r) => queryEndpoint(r.url, token, makeObedientInput('answer'))));
    expect(answers.map((a) => [a.status, a.headers['served-model-name']])).toEqual(names.map((n) => [200, n]));
    await Promise.all(names.map((n) => client.deleteRoute(n)));
    await Promise.all(puts.map((p) => client.deleteRevision(p.revision.name)));
    expect((await listProjectProcesses(project)).filter((line) => line.includes('many-'))).toEqual([]);
  });
});
