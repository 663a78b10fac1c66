import { mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { isSameProcess } from '../system/is-alive.ts';
import { identifyProcess } from '../system/process-identity.ts';

/** Limits for a program and all its descendants together. */
export interface TreeLimits {
  readonly memoryBytes: number;
  readonly processes: number;
}

/** A control group of the kernel for one run. */
export interface ControlGroup {
  /** A process joins by writing its number to each of these files. */
  readonly joinFiles: readonly string[];
  /** Whether the kernel killed a process because all of them together exceeded their memory. */
  wasMemoryExceeded(): Promise<boolean>;
  /** Removes the group. All its processes must have ended. */
  remove(): Promise<void>;
}

const ROOT = '/sys/fs/cgroup';
const REMOVE_ATTEMPTS = 40;

/** Makes a control group with these limits. Undefined: this machine does not let this user make one. */
export async function makeControlGroup(limits: TreeLimits, root = ROOT): Promise<ControlGroup | undefined> {
  const { pid, started } = identifyProcess();
  const name = `${makePrefix()}${pid}-${started}-${randomUUID().slice(0, 8)}`;
  const unified = await stat(join(root, 'cgroup.controllers')).catch(() => undefined);
  return unified ? makeUnified(name, limits, root) : makeSplit(name, limits, root);
}

/** A process id is unique only within one PID namespace. The kernel forgets all groups when the machine restarts. */
function makePrefix(): string {
  return `davit-untrusted-${identifyProcess().namespace}-`;
}

/** Removes the groups of processes that have ended, because a killed process cannot remove its own. */
async function removeAbandonedGroups(parent: string): Promise<void> {
  const prefix = makePrefix();
  for (const name of await readdir(parent).catch(() => [])) {
    const owner = name.startsWith(prefix) ? /^(\d+)-(\d+)-\w{8}$/.exec(name.slice(prefix.length)) : null;
    if (!owner || isSameProcess(Number(owner[1]), owner[2] ?? '')) continue;
    await rmdir(join(parent, name)).catch(() => undefined); // a process of it still ends
  }
}

/** Version 2: one tree. Tries the groups above this process, from the closest, because not every one can be divided. */
async function makeUnified(name: string, limits: TreeLimits, root: string): Promise<ControlGroup | undefined> {
  const own = /^0::(\/.*)$/m.exec(await readFile('/proc/self/cgroup', 'utf8').catch(() => ''))?.[1] ?? '/';
  for (let at = join(root, own); at.startsWith(root); at = dirname(at)) {
    const folder = join(at, name);
    const settings = {
      'memory.max': limits.memoryBytes,
      'memory.swap.max': 0,
      'memory.oom.group': 1,
      'pids.max': limits.processes,
    };
    if (await makeGroup(folder, settings, ['memory.max', 'pids.max'])) {
      const events = async () => readCount(join(folder, 'memory.events'), /^oom_kill (\d+)$/m);
      return makeHandle([folder], events);
    }
  }
  return undefined;
}

/** Version 1: a tree for each resource. */
async function makeSplit(name: string, limits: TreeLimits, root: string): Promise<ControlGroup | undefined> {
  const [memory, processes] = [join(root, 'memory', name), join(root, 'pids', name)];
  const byMemory = { 'memory.limit_in_bytes': limits.memoryBytes, 'memory.swappiness': 0 };
  if (!(await makeGroup(memory, byMemory, ['memory.limit_in_bytes']))) return undefined;
  if (!(await makeGroup(processes, { 'pids.max': limits.processes }, ['pids.max']))) {
    await rmdir(memory).catch(() => undefined);
    return undefined;
  }
  const events = async () => readCount(join(memory, 'memory.oom_control'), /^oom_kill (\d+)$/m);
  return makeHandle([memory, processes], events);
}

/** Makes one group with these settings. Returns false, without a group, if a required one is refused. */
async function makeGroup(
  folder: string,
  settings: Readonly<Record<string, number>>,
  required: readonly string[],
): Promise<boolean> {
  try {
    await mkdir(folder);
  } catch {
    return false;
  }
  await removeAbandonedGroups(dirname(folder));
  for (const [file, value] of Object.entries(settings)) {
    const set = await writeFile(join(folder, file), String(value), { flag: 'r+' }).then(
      () => true,
      () => false,
    );
    if (set || !required.includes(file)) continue;
    await rmdir(folder).catch(() => undefined);
    return false;
  }
  return true;
}

function makeHandle(folders: readonly string[], countKills: () => Promise<number>): ControlGroup {
  return {
    joinFiles: folders.map((folder) => join(folder, 'cgroup.procs')),
    wasMemoryExceeded: async () => (await countKills()) > 0,
    remove: async () => {
      for (const folder of folders) await removeGroup(folder);
    },
  };
}

/** The kernel removes killed processes from a group a moment after they have ended. */
async function removeGroup(folder: string): Promise<void> {
  for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt += 1) {
    const removed = await rmdir(folder).then(
      () => true,
      (e: unknown) => (e as NodeJS.ErrnoException).code === 'ENOENT',
    );
    if (removed) return;
    await new Promise((done) => setTimeout(done, 50));
  }
}

async function readCount(file: string, pattern: RegExp): Promise<number> {
  return Number(pattern.exec(await readFile(file, 'utf8').catch(() => ''))?.[1] ?? 0);
}
