import { readFileSync } from 'node:fs';

/** Whether a process with this id runs; one that has ended and waits for its parent to notice does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === 'EPERM';
  }
  // Where nobody reaps orphans (a container's first process), the killed stay in the list for ever.
  return !/^[ZX]$/.test(readStat(pid)[0] ?? '');
}

/** When a process started, in the kernel's ticks: tells it from a later one with the same id. Linux; else ''. */
export function startTime(pid: number): string {
  return readStat(pid)[19] ?? '';
}

/** The fields of /proc/PID/stat that follow the name, which may hold anything; the first one is the state. */
function readStat(pid: number): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
