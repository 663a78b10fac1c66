import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Kubectl, kubectl } from '../../offline/cluster/kubectl.ts';
import { findOnNode } from './machine-traces.ts';

/** Kills all containers of a pod at once: nothing is drained, nobody is told. Its network stays, so that peers hear of it. */
export async function killPod(uid: string): Promise<number> {
  const marks = [uid, uid.replaceAll('-', '_')];
  const isIn = async (pid: number) => {
    const groups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
    if (!marks.some((mark) => groups.includes(mark))) return false;
    return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim() !== 'pause';
  };
  const found = await Promise.all(listNow().map(async (pid) => ((await isIn(pid)) ? [pid] : [])));
  found.flat().forEach(killIfThere);
  return found.flat().length;
}

/** Kills one of the node's programs; it is started again by itself. */
export async function killOnNode(program: string): Promise<void> {
  const pids = await findOnNode(program);
  if (pids.length !== 1) throw new Error(`Cannot kill ${program}: ${pids.length} run, expected one`);
  process.kill(pids[0]!, 'SIGKILL');
}

/** Declares so many graphics cards on every node; scheduling is real, whatever is behind it. */
export async function declareCards(to: Kubectl, count: number): Promise<void> {
  const patch = ['capacity', 'allocatable'].map((what) => ({
    op: 'add',
    path: `/status/${what}/nvidia.com~1gpu`,
    value: String(count),
  }));
  const nodes = (await kubectl(to, ['get', 'nodes', '-o', 'name'])).split('\n').filter(Boolean);
  for (const node of nodes)
    await kubectl(to, ['patch', node, '--subresource=status', '--type=json', '-p', JSON.stringify(patch)]);
}

/** Has the node's network refuse every connection to the registry, at once, until it is told to let them be. */
export function holdRegistryDown(): () => void {
  const kubelet = readdirSync('/proc').find((name) => /^\d+$/.test(name) && nameOf(name) === 'kubelet');
  if (kubelet === undefined) throw new Error('Cannot cut the node off its registry: no kubelet runs here');
  const reset = ['-p', 'tcp', '--dport', '5001', '-j', 'REJECT', '--reject-with', 'tcp-reset'];
  const rule = (verb: '-I' | '-D') =>
    execFileSync('nsenter', ['--target', kubelet, '--net', 'iptables', '--wait', verb, 'INPUT', ...reset]);
  rule('-I');
  return () => void rule('-D');
}

function nameOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return ''; // it has ended meanwhile
  }
}

/** Kills a process and all that it has started, at once, as a machine that is switched off does: nobody gets a word in. */
export function killTree(root: number): void {
  const parents = new Map(listNow().map((pid) => [pid, parentOf(pid)]));
  const isOf = (pid: number): boolean => pid === root || (pid > 1 && isOf(parents.get(pid) ?? 0));
  [...parents.keys()].filter(isOf).forEach(killIfThere);
}

function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0; // it has ended meanwhile
  }
}

function listNow(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== 'ESRCH') throw e;
  }
}
