import { readdir, readFile, readlink } from 'node:fs/promises';

export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly command: readonly string[];
}

/**
 * Processes of a project: its folder is in their arguments or environment, it is their working folder, or one of them
 * started them.
 */
export async function findProcesses(root: string): Promise<readonly ProcessInfo[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const all = (await Promise.all(names.map((name) => describeProcess(Number(name), root)))).filter(
    (p) => p !== undefined,
  );
  const found = new Set(all.filter((p) => p.isOf).map((p) => p.pid));
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  return all.filter(({ pid }) => found.has(pid));
}

async function describeProcess(pid: number, root: string) {
  const found = await readProcess(pid);
  if (!found) return undefined;
  const folder = await readlink(`/proc/${pid}/cwd`).catch(() => '');
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  const isInside = folder === root || folder.startsWith(`${root}/`);
  return { ...found, isOf: isInside || [...found.command, environment].some((text) => text.includes(root)) };
}

/** A process by its id; undefined: it has ended. */
export async function readProcess(pid: number): Promise<ProcessInfo | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return undefined;
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').filter((word) => word !== '');
    return { pid, parent: Number(parent), command };
  } catch {
    return undefined; // it has ended
  }
}
