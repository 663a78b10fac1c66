import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { FileHandle } from 'node:fs/promises';

/** The file descriptor of the file in the `flock` process. */
const FD = 3;

/**
 * Takes the kernel lock on an open file. The program `flock` locks the open file description that it shares with this
 * process, and exits. The kernel releases the lock when this process ends for any reason. Returns undefined if this
 * machine does not have `flock`.
 */
export async function takeKernelLock(file: FileHandle): Promise<boolean | undefined> {
  const child = spawn('flock', ['-n', String(FD)], { stdio: ['ignore', 'ignore', 'ignore', file.fd] });
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    return code === null ? undefined : code === 0;
  } catch {
    return undefined;
  }
}
