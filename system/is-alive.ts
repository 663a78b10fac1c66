import { readFileSync } from 'node:fs';

/** Whether a process with this id runs. A zombie process does not count. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === 'EPERM';
  }
  // Killed processes stay zombies forever if the first process of the container does not reap orphans.
  return !/^[ZX]$/.test(readStat(pid)[0] ?? '');
}

/** Whether the process that had this id and start time still runs, and no later one with the same id. */
export function isSameProcess(pid: number, started: string): boolean {
  return isAlive(pid) && readStartTime(pid) === started;
}

/**
 * Start time of a process in kernel ticks, which distinguishes it from a later one with the same id. '' if not Linux.
 */
export function readStartTime(pid: number): string {
  return readStat(pid)[19] ?? '';
}

/** The fields of /proc/PID/stat after the name, which can contain any character. The first field is the state. */
function readStat(pid: number): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
