import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from './run-process.ts';
import { type Progress, SILENT } from './progress.ts';

const POLL_MILLISECONDS = 200;
/** A lock folder without its owner's number is one that is just being made, or was left in that very moment. */
const UNSIGNED_GRACE_MILLISECONDS = 5000;

/**
 * Runs `work` while this process alone holds `lock` (a folder that this makes and removes). Others wait and say for
 * whom; a lock whose process is gone is taken over. `what` names the work for who waits: `making a virtualenv`.
 */
export async function withFileLock<T>(
  lock: string,
  work: () => Promise<T>,
  { what = 'the same work', progress = SILENT }: { readonly what?: string; readonly progress?: Progress } = {},
): Promise<T> {
  await mkdir(dirname(lock), { recursive: true });
  for (let said = false; !(await take(lock));) {
    const owner = await readOwner(lock);
    if (owner === 'gone') {
      await rm(lock, { recursive: true, force: true });
      continue;
    }
    if (!said) progress.say(`Waiting for process ${String(owner)}, which is ${what} …`);
    said = true;
    await sleep(POLL_MILLISECONDS);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    await mkdir(lock);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw e;
  }
  await writeFile(join(lock, 'pid'), String(process.pid));
  return true;
}

async function readOwner(lock: string): Promise<number | 'unknown' | 'gone'> {
  const pid = Number(await readFile(join(lock, 'pid'), 'utf8').catch(() => ''));
  if (pid > 0) return isAlive(pid) ? pid : 'gone';
  const made = await stat(lock).catch(() => undefined);
  return made && Date.now() - made.mtimeMs > UNSIGNED_GRACE_MILLISECONDS ? 'gone' : 'unknown';
}
