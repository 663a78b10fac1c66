import { createServer } from 'node:net';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControlClient } from '../../local/control/control-client.ts';
import type { PutRevisionRequest } from '../../local/control/control-protocol.ts';
import {
  connectSupervisor,
  ensureSupervisor,
  readStatus,
  waitForEnd,
} from '../../local/supervisor/start-supervisor.ts';
import { queryEndpoint } from '../prober/query-endpoint.ts';
import { expectNoFailure, startProber } from '../prober/probe.ts';
import {
  endProject,
  makeProject,
  makeObedientInput,
  listProjectProcesses,
  type Project,
  serve,
  superviseProject,
  waitUntil,
} from './local-project.ts';

describe('a served endpoint', () => {
  let project: Project;
  let client: ControlClient;
  let put: PutRevisionRequest;
  let url: string;
  let token: string;

  const query = (what = 'answer', seconds = 0) => queryEndpoint(url, token, makeObedientInput(what, seconds));
  const question = () => ({
    url,
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(makeObedientInput('answer')),
  });
  const workerPid = async () =>
    (JSON.parse((await query()).body) as { predictions: { pid: number }[] }).predictions[0]!.pid;
  const only = async () => (await client.status()).revisions[0]!;
  const reconnect = async () => {
    client = (await waitUntil(
      () => connectSupervisor(project.root, 'local'),
      (c) => c !== undefined,
    ))!;
  };

  beforeAll(async () => {
    const supervised = await superviseProject();
    ({ project, client, token } = supervised);
    ({ put, url } = await serve(supervised));
  });

  afterAll(() => endProject(project));

  it('keeps answering when a worker is killed', async () => {
    const prober = startProber(question(), { clients: 4 });
    process.kill(await workerPid(), 'SIGKILL');
    await sleep(1000);
    const { outcomes, failures, failed } = await prober.stop();
    expect(outcomes.get('200')).toBeGreaterThan(20);
    expect(failed).toBeLessThanOrEqual(1); // the request of the killed worker
    expect(failures.every((f) => f.outcome === '502' && f.body.includes('MODEL_PROCESS_DIED'))).toBe(true);
  });

  it('loses only requests in flight when a model server is killed, and answers them with 502', async () => {
    const [before] = (await only()).replicas;
    const inFlight = [query('sleep', 5), query('sleep', 5)];
    await waitUntil(only, (r) => r.inFlight === 2);
    const waiting = Array.from({ length: 6 }, () => query());
    await waitUntil(only, (r) => r.queued === 6);
    process.kill(before!.pid!, 'SIGKILL');
    const lost = await Promise.all(inFlight);
    expect(lost.map((a) => a.status)).toEqual([502, 502]);
    expect(JSON.parse(lost[0]!.body)).toMatchObject({ error_code: 'MODEL_SERVER_DIED' });
    expect((await Promise.all(waiting)).map((a) => a.status)).toEqual(Array(6).fill(200));
    const now = await only();
    expect(now.state).toBe('ready');
    expect(now.replicas.map((r) => r.pid)).not.toContain(before!.pid);
  });

  it('serves without a failed request when the folder of sockets is removed', async () => {
    const { pid } = await client.status();
    const [before] = (await only()).replicas;
    const prober = startProber(question(), { clients: 4 });
    await prober.round();
    const control = await readFile(join(project.root, '.davit', 'environments', 'local', 'control.json'), 'utf8');
    await rm(dirname((JSON.parse(control) as { socketPath: string }).socketPath), { recursive: true });
    await reconnect();
    await waitUntil(only, (r) => r.state === 'ready' && r.replicas.every((m) => m.pid !== before!.pid));
    await prober.round();
    expectNoFailure(await prober.stop());
    expect((await client.status()).pid).toBe(pid);
  });

  it('recovers when the supervisor is killed: same address, same token, no process left', async () => {
    const { pid } = await client.status();
    const [replica] = (await only()).replicas;
    process.kill(pid!, 'SIGKILL');
    await reconnect();
    const after = await client.status();
    expect(after.pid).not.toBe(pid);
    expect((await query()).status).toBe(200); // the request waits until the model is loaded again
    await waitUntil(
      () => listProjectProcesses(project),
      (lines) => !lines.some((l) => l.startsWith(`${replica!.pid!} `)),
      10,
    );
  });

  it('keeps serving when the keeper is killed, and gets another keeper', async () => {
    const { keeper, pid } = await client.status();
    const prober = startProber(question(), { clients: 2 });
    process.kill(keeper!, 'SIGKILL');
    const after = await waitUntil(
      () => client.status(),
      (s) => s.keeper !== keeper && s.keeper !== undefined,
    );
    await sleep(500);
    expectNoFailure(await prober.stop());
    expect(after.pid).toBe(pid);
  });

  it('recovers when the supervisor of the second keeper is killed', async () => {
    const { pid } = await client.status();
    process.kill(pid!, 'SIGKILL');
    await reconnect();
    expect((await client.status()).pid).not.toBe(pid);
    expect((await query()).status).toBe(200);
  });

  it('is restored only once by concurrent ensureSupervisor() calls when supervisor and keeper are killed', async () => {
    const { pid, keeper } = await client.status();
    process.kill(pid!, 'SIGSTOP'); // otherwise it could start another keeper in time
    process.kill(keeper!, 'SIGKILL');
    process.kill(pid!, 'SIGKILL');
    await waitUntil(
      () => listProjectProcesses(project),
      (lines) => lines.length === 0,
      10,
    );
    const dead = await readStatus(project.root, 'local');
    expect(dead).toMatchObject({ running: false, tokens: 1, revisions: [{ name: put.revision.name }] });
    const clients = await Promise.all([1, 2, 3].map(() => ensureSupervisor(project.root, 'local')));
    client = clients[0]!;
    const pids = await Promise.all(clients.map(async (c) => (await c.status()).pid));
    expect(new Set(pids).size).toBe(1);
    expect((await query()).status).toBe(200);
    expect((await listProjectProcesses(project)).filter((l) => /supervisor\.ts|keeper\.ts/.test(l))).toHaveLength(2);
  });

  it('reports the process that has taken its port, and answers again when the port is free', async () => {
    const { pid, gateway } = await client.status();
    const prober = startProber(question(), { clients: 1, connections: 'fresh' });
    // The other process closes every connection, because the client would otherwise wait forever.
    const squatter = createServer((socket) => socket.destroy());
    const squat = waitUntil(
      () =>
        new Promise<boolean>((done) =>
          squatter.once('error', () => done(false)).listen(gateway.port, '127.0.0.1', () => done(true)),
        ),
      (got) => got,
    );
    process.kill(pid!, 'SIGKILL');
    await squat;
    await prober.stop();
    await reconnect();
    const blocked = await waitUntil(
      () => client.status(),
      (s) => s.gateway.problem !== undefined,
    );
    expect(blocked.gateway.problem).toContain(`process ${process.pid} (`);
    await new Promise((done) => squatter.close(done));
    await waitUntil(
      () => client.status(),
      (s) => s.gateway.problem === undefined,
    );
    expect((await query()).status).toBe(200);
  });

  it('leaves nothing when its last revision is deleted', async () => {
    const status = await client.status();
    await client.deleteRoute('obedient');
    expect(await client.deleteRevision(put.revision.name)).toEqual({ ending: true });
    await waitForEnd(status);
    expect(await listProjectProcesses(project)).toEqual([]);
    await expect(access(join(project.root, '.davit', 'environments'))).rejects.toThrow();
    expect((await queryEndpoint(url, token, makeObedientInput('answer'))).status).toBe(0);
  });
});

describe('ensureSupervisor()', () => {
  it('starts a supervisor that ends when the project is removed', async () => {
    const project = await makeProject();
    const client = await ensureSupervisor(project.root, 'local');
    const status = await client.status();
    await rm(project.root, { recursive: true });
    await waitForEnd(status);
    expect(await listProjectProcesses(project)).toEqual([]);
  });

  it('throws at once if a supervisor cannot start, and leaves no process', async () => {
    const project = await makeProject();
    const folder = join(project.root, '.davit', 'environments', 'local');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'supervisor.json'), '{ "version": 99 }');
    await expect(ensureSupervisor(project.root, 'local')).rejects.toThrow(
      /supervisor\.json: its version is 99, expected 1/,
    );
    expect(await listProjectProcesses(project)).toEqual([]);
    await project.remove();
  });

  it('stops restarting a supervisor whose state is truncated, and leaves no process', async () => {
    const project = await makeProject();
    const { pid } = await (await ensureSupervisor(project.root, 'local')).status();
    await writeFile(join(project.root, '.davit', 'environments', 'local', 'supervisor.json'), '{ "versi');
    process.kill(pid!, 'SIGKILL');
    expect(
      await waitUntil(
        () => listProjectProcesses(project),
        (left) => left.length === 0,
      ),
    ).toEqual([]);
    await project.remove();
  });
});
