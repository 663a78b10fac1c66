import { access, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ControlClient } from '../../../local/control/control-client.ts';
import type { ControlFile } from '../../../local/control/control-file.ts';
import { ensureSupervisor, readStatus, waitForEnd } from '../../../local/supervisor/start-supervisor.ts';
import { isAlive } from '../../../system/is-alive.ts';
import { endProject, makeProject, listProjectProcesses, type Project, waitUntil } from '../local-project.ts';

let project: Project;
let client: ControlClient;
let pid: number;

beforeEach(async () => {
  project = await makeProject();
  client = await ensureSupervisor(project.root, 'local');
  pid = (await client.status()).pid!;
});
afterEach(async () => {
  expect(await endProject(project)).toEqual([]);
});

const controlFile = () => join(project.root, '.davit', 'environments', 'local', 'control.json');
const readControl = async () => JSON.parse(await readFile(controlFile(), 'utf8')) as ControlFile;
const supervisors = async () => (await listProjectProcesses(project)).filter((line) => /supervisor\.[jt]s/.test(line));
const status = () => readStatus(project.root, 'local');

it('makes its socket again when the folder of sockets was removed, and stays the only supervisor', async () => {
  const { socketPath } = await readControl();
  await rm(dirname(socketPath), { recursive: true });
  expect(await status()).toMatchObject({ running: true, pid });
  await access(socketPath);
  expect(await (await ensureSupervisor(project.root, 'local')).status()).toMatchObject({ pid });
  expect(await supervisors()).toHaveLength(1);
});

it('ends when its state is removed, without removing files of its successor', async () => {
  const before = await client.status();
  await rm(join(project.root, '.davit'), { recursive: true });
  const next = await (await ensureSupervisor(project.root, 'local')).status();
  expect(next.pid).not.toBe(pid);
  await waitForEnd({ pid, keeper: before.keeper });
  expect(isAlive(pid)).toBe(false);
  expect(await status()).toMatchObject({ running: true, pid: next.pid });
  expect(await supervisors()).toHaveLength(1);
});

it('is replaced if it is of an older version, which does not make its socket again', async () => {
  await writeFile(controlFile(), JSON.stringify({ socketPath: join(project.root, 'gone.sock'), pid }));
  const next = await (await ensureSupervisor(project.root, 'local')).status();
  expect(next.pid).not.toBe(pid);
  expect(isAlive(pid)).toBe(false);
  expect(await supervisors()).toHaveLength(1);
});

it('leaves no socket when it is killed', async () => {
  const { socketPath } = await readControl();
  const shared = dirname(dirname(socketPath));
  const mine = async () =>
    (await readdir(shared)).filter((name) => name.startsWith(dirname(socketPath).slice(shared.length + 1, -6)));
  process.kill(pid, 'SIGKILL');
  await waitUntil(status, (s) => s?.running === true && s.pid !== pid);
  expect(await mine()).toHaveLength(1);
});
