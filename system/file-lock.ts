import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileAtomically } from './atomic-files.ts';
import { isAlive, startTime } from './is-alive.ts';
import { type Progress, SILENT } from './progress.ts';

const POLL_MILLISECONDS = 200;
/** A lock folder without its owner's number is one that is just being made, or was left in that very moment. */
const UNSIGNED_GRACE_MILLISECONDS = 5000;

export interface LockOptions {
  /** The work, for who waits: `making a virtualenv`. */
  readonly what?: string;
  readonly progress?: Progress;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `work` while this process alone holds `lock` (a folder that this makes and removes). Others wait and say for
 * whom; a lock whose process is gone is taken over.
 */
export async function withFileLock<T>(lock: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const { what = 'the same work', progress = SILENT, signal } = options;
  await mkdir(dirname(lock), { recursive: true });
  for (let said = false; !(await take(lock));) {
    signal?.throwIfAborted();
    const owner = await readOwner(lock);
    if (owner === 'gone') await clear(lock);
    if (owner === 'gone') continue;
    if (!said && owner !== 'unknown') {
      progress.say(`Waiting for process ${owner}, which is ${what} …`);
      said = true;
    }
    await sleep(POLL_MILLISECONDS);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

async function take(lock: string): Promise<boolean> {
  if (!(await makeFolder(lock))) return false;
  await writeFileAtomically(join(lock, 'owner'), `${process.pid} ${startTime(process.pid)}`);
  return true;
}

async function readOwner(lock: string): Promise<number | 'unknown' | 'gone'> {
  const [pid = '', started = ''] = (await readFile(join(lock, 'owner'), 'utf8').catch(() => '')).split(' ');
  if (pid !== '') return isAlive(Number(pid)) && startTime(Number(pid)) === started ? Number(pid) : 'gone';
  return (await isOld(lock)) ? 'gone' : 'unknown';
}

/** Removes a lock whose owner is gone. One process at a time does it, lest a slow one removes its successor's. */
async function clear(lock: string): Promise<void> {
  const clearing = `${lock}.clearing`;
  if (!(await makeFolder(clearing))) {
    if (await isOld(clearing)) await rm(clearing, { recursive: true, force: true });
    await sleep(POLL_MILLISECONDS);
    return;
  }
  try {
    if ((await readOwner(lock)) === 'gone') await rename(lock, join(clearing, 'lock'));
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== 'ENOENT') throw e;
  } finally {
    await rm(clearing, { recursive: true, force: true });
  }
}

async function makeFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw e;
  }
}

async function isOld(folder: string): Promise<boolean> {
  const made = await stat(folder).catch(() => undefined);
  return made !== undefined && Date.now() - made.mtimeMs > UNSIGNED_GRACE_MILLISECONDS;
}
