import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ControlClient } from '../../local/control/control-client.ts';
import { connectSupervisor, ensureSupervisor } from '../../local/supervisor/start-supervisor.ts';
import { isAlive } from '../../system/is-alive.ts';
import { queryEndpoint } from '../prober/query-endpoint.ts';
import {
  endProject,
  makeObedientInput,
  makeProject,
  makeRevisionRequest,
  type Project,
  serve,
  waitUntil,
} from './local-project.ts';

/** A disk of its own for the project, which only root can mount. */
let project: Project;
let client: ControlClient;
let isMounted = false;

beforeAll(async () => {
  project = await makeProject();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'davit-test', project.root], { stdio: 'ignore' });
    isMounted = true;
  } catch {
    return;
  }
  client = await ensureSupervisor(project.root, 'local');
});

afterAll(async () => {
  if (isMounted) await endProject({ ...project, remove: () => Promise.resolve() });
  if (isMounted) execFileSync('umount', ['--lazy', project.root]);
  await project.remove();
});

it('a full disk stops nothing that serves, and a killed supervisor is started again when there is room', async ({
  skip,
}) => {
  if (!isMounted) return skip('only root can mount a small disk');
  const token = await client.makeToken();
  const { url } = await serve({ project, client, token });
  const status = async (what = 'answer') => (await queryEndpoint(url, token, makeObedientInput(what))).status;
  const only = async () => (await client.status()).revisions[0]!;
  const next = await makeRevisionRequest(project, { entity: 'next' });
  const rest = join(project.root, 'rest');
  await expect(writeFile(rest, Buffer.alloc(32 << 20))).rejects.toThrow('ENOSPC');

  expect(await status('exit')).toBe(502);
  expect(await status()).toBe(200);
  process.kill((await only()).replicas[0]!.pid!, 'SIGKILL');
  await waitUntil(only, (r) => r.state === 'recovering');
  expect(await status()).toBe(200); // waits for the next model server
  await expect(client.putRevision(next)).rejects.toThrow('ENOSPC');
  expect(await status()).toBe(200);

  const { pid, keeper } = await client.status();
  process.kill(pid!, 'SIGKILL');
  await waitUntil(
    () => Promise.resolve(isAlive(pid!)),
    (alive) => !alive,
  );
  await waitUntil(
    () => status(),
    (code) => code === 0,
  );
  expect(isAlive(keeper!)).toBe(true);
  await rm(rest);
  const again = await waitUntil(
    () => connectSupervisor(project.root, 'local'),
    (c) => c !== undefined,
  );
  client = again!;
  expect(await status()).toBe(200);
});
