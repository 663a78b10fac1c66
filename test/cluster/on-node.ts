import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type KubectlConnection, kubectl } from '../../cluster/kubectl.ts';
import { sendSignal } from '../../system/send-signal.ts';
import { findNodeProcesses } from './machine-traces.ts';

/**
 * Kills all containers of a pod at once, without any drain. Its network stays, so that clients see the closed
 * connections.
 */
export async function killPod(uid: string): Promise<number> {
  const found = await findPodProcesses(uid);
  for (const pid of found) sendSignal(pid, 'SIGKILL');
  return found.length;
}

/** The processes of a pod's containers, by their ids on the machine, without the one that holds its network. */
export async function findPodProcesses(uid: string): Promise<readonly number[]> {
  const marks = [uid, uid.replaceAll('-', '_')];
  const isIn = async (pid: number) => {
    const groups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
    if (!marks.some((mark) => groups.includes(mark))) return false;
    return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim() !== 'pause';
  };
  const found = await Promise.all(listProcessIds().map(async (pid) => ((await isIn(pid)) ? [pid] : [])));
  return found.flat();
}

/** Kills one of the node's programs, which is restarted automatically. */
export async function killNodeProgram(program: string): Promise<void> {
  const pids = await findNodeProcesses(program);
  if (pids.length !== 1) throw new Error(`Cannot kill ${program}: ${pids.length} run, expected one`);
  process.kill(pids[0]!, 'SIGKILL');
}

/** Declares this many GPUs on every node. Scheduling then works as with real ones. */
export async function declareGpus(to: KubectlConnection, count: number): Promise<void> {
  const patch = ['capacity', 'allocatable'].map((what) => ({
    op: 'add',
    path: `/status/${what}/nvidia.com~1gpu`,
    value: String(count),
  }));
  const nodes = (await kubectl(to, ['get', 'nodes', '-o', 'name'])).split('\n').filter(Boolean);
  for (const node of nodes)
    await kubectl(to, ['patch', node, '--subresource=status', '--type=json', '-p', JSON.stringify(patch)]);
}

/** Makes the node's network refuse every connection to the registry at once, until the returned function is called. */
export function blockRegistry(): () => void {
  const kubelet = readdirSync('/proc').find((name) => /^\d+$/.test(name) && readProcessName(name) === 'kubelet');
  if (kubelet === undefined) throw new Error('Cannot cut the node off its registry: no kubelet runs here');
  const reset = ['-p', 'tcp', '--dport', '5001', '-j', 'REJECT', '--reject-with', 'tcp-reset'];
  const rule = (verb: '-I' | '-D') =>
    execFileSync('nsenter', ['--target', kubelet, '--net', 'iptables', '--wait', verb, 'INPUT', ...reset]);
  rule('-I');
  return () => void rule('-D');
}

function readProcessName(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return ''; // it has ended
  }
}

/** Kills a process and all its descendants at once, as when a machine is switched off. */
export function killProcessTree(root: number): void {
  const parents = new Map(listProcessIds().map((pid) => [pid, readParent(pid)]));
  const isOf = (pid: number): boolean => pid === root || (pid > 1 && isOf(parents.get(pid) ?? 0));
  for (const pid of [...parents.keys()].filter(isOf)) sendSignal(pid, 'SIGKILL');
}

function readParent(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0; // it has ended
  }
}

function listProcessIds(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}
