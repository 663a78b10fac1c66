import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { programPath } from '../../system/code.ts';
import { runDavit } from './run-davit.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const IMAGE = (name: string) => `docker.io/library/${name}@sha256:${'0'.repeat(64)}`;

/** An API server that takes connections and never answers, not even for TLS. */
describe('a cluster that says nothing', () => {
  let server: Server;
  let project: string;
  let address: string;
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.resume().on('error', () => undefined);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    project = mkdtempSync(join(tmpdir(), 'davit-silent-'));
    for (const folder of ['environments', 'endpoints']) mkdirSync(join(project, folder));
    cpSync(join(ROOT, 'Pulumi.yaml'), join(project, 'Pulumi.yaml'));
    writeFileSync(join(project, 'kubeconfig'), JSON.stringify(makeKubeconfig(address)));
    writeFileSync(join(project, 'environments', 'silent.yaml'), JSON.stringify(makeEnvironment()));
  });

  afterEach(() => void vi.unstubAllEnvs());
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(project, { recursive: true, force: true });
  });

  const start = (...args: readonly string[]) => {
    const main = programPath('cli', 'main.ts');
    const env = { ...process.env, DAVIT_CACHE: join(project, 'cache') };
    const child = spawn(process.execPath, [main, ...args, '--environment', 'silent'], { cwd: project, env });
    const ended = Promise.all([
      once(child, 'close') as Promise<[number | null]>,
      text(child.stdout),
      text(child.stderr),
    ]);
    return { child, ended };
  };

  it('is named with its address, and asked once at a time', async () => {
    const before = sockets.size;
    const together = 7; // the edge and what there is of the endpoints
    vi.stubEnv('DAVIT_CACHE', join(project, 'cache'));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const running = runDavit(project, 'status', '--environment', 'silent');
    while (sockets.size - before < together) await once(server, 'connection');
    await vi.advanceTimersByTimeAsync(10_000);
    const { status, stderr } = await running;
    expect(status).toBe(3);
    expect(stderr).toContain(`at ${address}: no response for 10 s`);
    expect(sockets.size - before).toBe(together);
  });

  it.each([['status'], ['logs', 'iris'], ['token'], ['query', 'iris', '--data', '{}']])(
    'keeps no %s from ending at the first signal',
    async (...args) => {
      writeFileSync(join(project, 'endpoints', 'iris.yaml'), 'name: iris\n');
      const before = sockets.size;
      const { child, ended } = start(...args);
      while (sockets.size === before && child.exitCode === null) await once(server, 'connection');
      const late = AbortSignal.timeout(10_000); // what it would wait without a signal
      child.kill('SIGTERM');
      const [[code], , stderr] = await ended;
      expect([code, stderr]).toEqual([143, expect.stringContaining('Stopped')]);
      expect(late.aborted).toBe(false);
    },
  );
});

function makeKubeconfig(address: string): object {
  return {
    clusters: [{ name: 'here', cluster: { server: address } }],
    users: [{ name: 'here', user: {} }],
    contexts: [{ name: 'here', context: { cluster: 'here', user: 'here' } }],
    'current-context': 'here',
  };
}

function makeEnvironment(): object {
  return {
    name: 'silent',
    target: 'kubernetes',
    cluster: { kubeconfig: 'kubeconfig' },
    images: {
      registry: 'localhost:5001/models',
      bases: { '3.11': IMAGE('python') },
      node: IMAGE('node'),
      envoy: IMAGE('envoy'),
    },
  };
}
