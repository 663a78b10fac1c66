import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { isAlive, readStartTime } from '../../system/is-alive.ts';
import { makeChildEnvironment } from '../../system/run-process.ts';
import { SYSTEM_PATH } from './debian.ts';
import { LOGS_FOLDER, NODE_FOLDER } from './node-layout.ts';

/** One program of the node. The node's first process starts it, and restarts it when it ends. */
export interface Component {
  readonly name: string;
  readonly command: readonly string[];
  /** The address that must answer first: `tcp:HOST:PORT` or `unix:PATH`. */
  readonly after?: string;
  /** Runs in the machine's network instead of the node's. */
  readonly onMachine?: boolean;
}

/** The node's first process, with its process id on the machine. `started` detects a reused id. */
export interface NodeProcess {
  readonly pid: number;
  readonly started: string;
}

const RECORD = join(NODE_FOLDER, 'node.json');
const COMPONENTS = join(NODE_FOLDER, 'components.json');
const POLL_MILLISECONDS = 50;
const END_MILLISECONDS = 20_000;
/** The node has its own processes, mounts, network and host name. All of them end with its first process. */
const NAMESPACE_COMMAND = [
  'unshare',
  '--kill-child',
  '--pid',
  '--fork',
  '--mount',
  '--mount-proc',
  '--propagation',
  'private',
  '--net',
  '--uts',
  '--ipc',
];

function locateLog(name: string): string {
  return join(LOGS_FOLDER, `${name}.log`);
}

/** Starts the node's first process, which then waits for `startComponents`. */
export async function startNodeProcess(program: string): Promise<NodeProcess> {
  await rm(COMPONENTS, { force: true });
  const [log, network] = [openSync(locateLog('node'), 'a'), openSync('/proc/self/ns/net', 'r')];
  const env = makeChildEnvironment({ PATH: SYSTEM_PATH, TMPDIR: '/tmp' }); // the node outlives this process
  const [command, ...args] = [...NAMESPACE_COMMAND, program, COMPONENTS];
  // The fourth file is the machine's network, for components that must run there.
  const unshare = spawn(command, args, { env, detached: true, stdio: ['ignore', log, log, network] });
  await once(unshare, 'spawn');
  closeSync(log);
  closeSync(network);
  unshare.unref();
  const pid = await findChild(unshare.pid ?? 0);
  const node = { pid, started: readStartTime(pid) };
  await writeFileAtomically(RECORD, JSON.stringify(node));
  return node;
}

/** Passes the components to the node's first process, which starts them. */
export async function startComponents(components: readonly Component[]): Promise<void> {
  const list = components.map((c) => ({ ...c, log: locateLog(c.name) }));
  await writeFileAtomically(COMPONENTS, JSON.stringify(list), 0o600);
}

/** The running node, if any. */
export async function findNodeProcess(): Promise<NodeProcess | undefined> {
  const text = await readFile(RECORD, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const node = JSON.parse(text) as NodeProcess;
  return isAlive(node.pid) && readStartTime(node.pid) === node.started ? node : undefined;
}

/** Whether the node has received its components. A node that was interrupted before that is started again. */
export async function hasComponents(): Promise<boolean> {
  return readFile(COMPONENTS).then(
    () => true,
    () => false,
  );
}

/** Ends the node's first process. The kernel then ends every process, mount and interface of the node. */
export async function endNodeProcess({ pid }: NodeProcess): Promise<void> {
  process.kill(pid, 'SIGKILL');
  const until = performance.now() + END_MILLISECONDS;
  while (isAlive(pid)) {
    if (performance.now() > until) throw new Error(`Cannot end the node: process ${pid} is still running`);
    await sleep(POLL_MILLISECONDS);
  }
}

/** `unshare --fork` stays outside the new namespaces. Its only child is the first process inside them. */
async function findChild(parent: number): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const children = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8').catch(() => '');
    const child = Number(children.trim().split(' ')[0]);
    if (child > 0) return child;
    if (!isAlive(parent)) break;
    await sleep(POLL_MILLISECONDS);
  }
  const words = await readFile(locateLog('node'), 'utf8').catch(() => '');
  throw new Error(`Cannot start the node: ${words.trim().split('\n').at(-1) ?? 'its first process did not start'}`);
}
