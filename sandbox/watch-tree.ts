import { readdir, readFile } from 'node:fs/promises';
import type { TreeLimits } from './control-group.ts';
import { measureSockets } from './measure-sockets.ts';

const INTERVAL_MILLISECONDS = 200;
const PAGE_BYTES = 4096;

/** What a process and its descendants use at one moment. */
export interface TreeUse {
  readonly processes: number;
  readonly memoryBytes: number;
}

/**
 * Watches the limits of a program and all its descendants where the machine offers no control group. Calls `onExceeded`
 * once. Returns a function that ends the watch.
 */
export function watchTree(root: number, limits: TreeLimits, onExceeded: (what: keyof TreeLimits) => void): () => void {
  const state = { ended: false, timer: undefined as NodeJS.Timeout | undefined };
  const look = async () => {
    const { processes, memoryBytes } = await measureTree(root, limits.memoryBytes);
    if (state.ended) return;
    const what =
      memoryBytes > limits.memoryBytes ? 'memoryBytes' : processes > limits.processes ? 'processes' : undefined;
    if (what !== undefined) onExceeded(what);
    else state.timer = setTimeout(() => void look(), INTERVAL_MILLISECONDS);
  };
  void look();
  return () => {
    state.ended = true;
    clearTimeout(state.timer);
  };
}

/**
 * Counts threads and memory. Memory that processes share counts once, as exactly as the kernel reports it, but only if the
 * quick sum, in which it counts for each of them, exceeds `enough`.
 */
async function measureTree(root: number, enough: number): Promise<TreeUse> {
  const members = await listTree(root);
  const stats = await Promise.all(members.map(readUse));
  const processes = stats.reduce((sum, s) => sum + s.threads, 0);
  const sockets = await measureSockets(members);
  const quick = stats.reduce((sum, s) => sum + s.residentBytes, sockets);
  if (quick <= enough) return { processes, memoryBytes: quick };
  const shares = await Promise.all(
    members.map(async (pid, i) => (await readShare(pid)) ?? stats[i]?.residentBytes ?? 0),
  );
  return { processes, memoryBytes: shares.reduce((sum, bytes) => sum + bytes, sockets) };
}

async function listTree(root: number): Promise<readonly number[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = await Promise.all(pids.map(readParent));
  const children = Map.groupBy(pids.keys(), (i) => parents[i]);
  const members = [root];
  for (const pid of members) for (const i of children.get(pid) ?? []) members.push(pids[i] ?? 0);
  return members;
}

/** The fields after the name, which stands in parentheses and may contain anything. */
async function readStat(pid: number): Promise<readonly string[]> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

async function readParent(pid: number): Promise<number> {
  return Number((await readStat(pid))[1] ?? -1);
}

async function readUse(pid: number): Promise<{ readonly threads: number; readonly residentBytes: number }> {
  const fields = await readStat(pid);
  return { threads: Number(fields[17] ?? 0), residentBytes: Number(fields[21] ?? 0) * PAGE_BYTES };
}

/** A process's share of its memory; undefined: the kernel does not report it. */
async function readShare(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  const kibibytes = /^Pss:\s+(\d+) kB$/m.exec(text)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
