import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process as Linux shows it in /proc. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** The arguments, separated by spaces. */
  readonly command: string;
  readonly folder: string;
  /** User and system seconds, of the process and of children that it has waited for. */
  readonly cpuSeconds: number;
}

/** Linux reports CPU time in hundredths of a second, whatever the kernel's own tick is. */
const TICKS_PER_SECOND = 100;
const KIB_PER_MIB = 1024;

/** Lists all processes of this machine. */
export function listProcesses(): readonly ProcessEntry[] {
  const pids = readIfPossible(() => readdirSync('/proc')) ?? [];
  return pids.filter((name) => /^\d+$/.test(name)).flatMap((name) => readProcess(name) ?? []);
}

/** Lists a process and all its descendants. */
export function listProcessTree(root: number): readonly ProcessEntry[] {
  const all = listProcesses();
  const below = (pids: readonly number[]): readonly ProcessEntry[] => {
    if (pids.length === 0) return [];
    const children = all.filter((p) => pids.includes(p.parent));
    return [...children, ...below(children.map((c) => c.pid))];
  };
  return [...all.filter((p) => p.pid === root), ...below([root])];
}

/** Lists the processes that use a folder: it is in their arguments, or is their working folder. */
export function listProcessesUsing(folder: string): readonly ProcessEntry[] {
  const inside = (path: string) => path === folder || path.startsWith(`${folder}/`);
  return listProcesses().filter((p) => p.pid !== process.pid && (p.command.includes(folder) || inside(p.folder)));
}

export function sumCpuSeconds(processes: readonly ProcessEntry[]): number {
  return processes.reduce((sum, p) => sum + p.cpuSeconds, 0);
}

/** Proportional set size in MiB: shared memory is divided among the processes that share it. */
export function sumPssMib(processes: readonly ProcessEntry[]): number {
  const kib = processes.map(({ pid }) => {
    const rollup = readIfPossible(() => readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
    return Number(/^Pss: +(\d+) kB/m.exec(rollup ?? '')?.[1] ?? 0);
  });
  return kib.reduce((sum, n) => sum + n, 0) / KIB_PER_MIB;
}

/** Kills processes. Ignores those that have already ended, even if their ids were reused. */
export function killProcesses(processes: readonly ProcessEntry[]): void {
  for (const { pid, command } of processes)
    if (readProcess(String(pid))?.command === command) readIfPossible(() => process.kill(pid, 'SIGKILL'));
}

function readProcess(name: string): ProcessEntry | undefined {
  const fields = readFields(name);
  const command = readIfPossible(() => readFileSync(`/proc/${name}/cmdline`, 'utf8'));
  if (!fields || command === undefined || command === '') return undefined; // ended, or a kernel process
  const folder = readIfPossible(() => readlinkSync(`/proc/${name}/cwd`)) ?? '';
  const cpuSeconds = sumTicks(fields, 11, 12, 13, 14);
  return { pid: Number(name), parent: Number(fields[1]), command: command.replaceAll('\0', ' '), folder, cpuSeconds };
}

/** The fields of proc_pid_stat(5) from the third one, the state. The earlier ones may contain spaces. */
function readFields(name: string): readonly string[] | undefined {
  const stat = readIfPossible(() => readFileSync(`/proc/${name}/stat`, 'utf8'));
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function sumTicks(fields: readonly string[], ...at: readonly number[]): number {
  return at.reduce((sum, i) => sum + Number(fields[i] ?? 0), 0) / TICKS_PER_SECOND;
}

/** Returns undefined if the process has ended or may not be read. */
function readIfPossible<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
