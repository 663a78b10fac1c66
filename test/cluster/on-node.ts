import { readdirSync, readFileSync } from 'node:fs';
import { readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { findOnNode } from './machine-traces.ts';

const HOLD_MILLISECONDS = 20;

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

/** Ends the registry that the node pulls from, as often as it is started again, until it is told to let it be. */
export function holdRegistryDown(): () => Promise<void> {
  const hold = new AbortController();
  const holding = (async () => {
    while (!hold.signal.aborted) {
      for (const pid of await findOnNode('registry')) if (await isInside(pid)) killIfThere(pid);
      await sleep(HOLD_MILLISECONDS);
    }
  })();
  return async () => {
    hold.abort();
    await holding;
  };
}

/** Whether a process has the network of the node, and not the machine's. */
async function isInside(pid: number): Promise<boolean> {
  const network = (of: string) => readlink(`/proc/${of}/ns/net`).catch(() => '');
  return (await network(String(pid))) !== (await network('self'));
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
