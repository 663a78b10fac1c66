import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { takeKernelLock } from './kernel-lock.ts';
import {
  identifyProcess,
  isOnThisKernel,
  determineProcessState,
  parseIdentity,
  type ProcessIdentity,
  renderIdentity,
} from '../process-identity.ts';
import { type Progress, SILENT } from '../progress.ts';

const POLL_MILLISECONDS = 200;
/** Maximum age of a lock folder without an owner file. An older one was left by a process that died while making it. */
const OWNERLESS_GRACE_MILLISECONDS = 15_000;
/** Last word of an owner file whose owner also holds the kernel lock on it. */
const KERNEL_LOCK_WORD = 'flock';

export interface FileLockOptions {
  /** The work, shown to waiting processes: `making a virtualenv`. */
  readonly what?: string;
  readonly progress?: Progress;
  /** Aborts the wait. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `work` while this process holds `lock`, a folder that this function makes and removes. Other processes wait and
 * report the owner. A lock whose owner has ended is taken over immediately. If the owner runs on another machine, this
 * process cannot check it and waits.
 */
export async function withFileLock<T>(lock: string, work: () => Promise<T>, options: FileLockOptions = {}): Promise<T> {
  const { what = 'the same work', progress = SILENT, signal } = options;
  await mkdir(dirname(lock), { recursive: true });
  let held: HeldLock | undefined;
  for (let said = false; !(held = await takeLock(lock));) {
    signal?.throwIfAborted();
    const owner = await readOwner(lock);
    if (owner.state === 'gone') await removeAbandonedLock(lock);
    if (owner.state === 'gone') continue;
    if (!said && owner.identity) {
      progress.say(describeWait(lock, what, owner.identity, owner.state));
      said = true;
    }
    await sleep(POLL_MILLISECONDS);
  }
  try {
    return await work();
  } finally {
    await release(lock, held);
  }
}

function describeWait(lock: string, what: string, { pid, host }: ProcessIdentity, state: LockOwner['state']): string {
  if (state === 'runs') return `Waiting for process ${pid}, which is ${what} …`;
  return `Waiting for process ${pid} on another machine or container (${host}), which is ${what} … This machine cannot check it: if it has ended, remove ${lock}`;
}

interface HeldLock {
  /** Stays open, because closing it releases the kernel lock. */
  readonly file: FileHandle;
}

async function takeLock(lock: string): Promise<HeldLock | undefined> {
  if (!(await makeFolder(lock))) return undefined;
  const fresh = join(lock, `owner.${randomBytes(4).toString('hex')}`);
  let file: FileHandle | undefined;
  try {
    file = await open(fresh, 'w');
    const locked = await takeKernelLock(file);
    await file.writeFile(`${renderIdentity(identifyProcess())}${locked ? ` ${KERNEL_LOCK_WORD}` : ''}`);
    await rename(fresh, join(lock, 'owner')); // complete and already locked
    return { file };
  } catch (e) {
    await file?.close();
    await rm(lock, { recursive: true, force: true }); // nobody else takes it so soon, and others need not wait for it
    throw e;
  }
}

/** Removes the folder only if it contains our owner file, because another process can have replaced the folder. */
async function release(lock: string, { file }: HeldLock): Promise<void> {
  const [ours, there] = await Promise.all([file.stat(), stat(join(lock, 'owner')).catch(() => undefined)]);
  if (there?.ino === ours.ino && there.dev === ours.dev) await rm(lock, { recursive: true, force: true });
  await file.close();
}

interface LockOwner {
  readonly state: 'runs' | 'gone' | 'unknown';
  /** Undefined: the owner file is not complete yet. */
  readonly identity: ProcessIdentity | undefined;
}

async function readOwner(lock: string): Promise<LockOwner> {
  const file = join(lock, 'owner');
  const text = await readFile(file, 'utf8').catch(() => '');
  const identity = parseIdentity(text);
  if (!identity) return { state: (await isOld(lock)) ? 'gone' : 'unknown', identity };
  const state = determineProcessState(identity);
  if (state !== 'unknown' || !isOnThisKernel(identity) || !text.endsWith(` ${KERNEL_LOCK_WORD}`))
    return { state, identity };
  return { state: (await isUnlocked(file)) ? 'gone' : 'unknown', identity }; // in another container of this machine
}

/** Whether no process holds the kernel lock on a file. The check takes that lock for a moment. */
async function isUnlocked(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return false;
  try {
    return (await takeKernelLock(file)) === true;
  } finally {
    await file.close();
  }
}

/** Removes a lock whose owner has ended. Only one process does this at a time, so that none removes a newer lock. */
async function removeAbandonedLock(lock: string): Promise<void> {
  const clearing = `${lock}.clearing`;
  if (!(await makeFolder(clearing))) {
    if (await isOld(clearing)) await rm(clearing, { recursive: true, force: true });
    await sleep(POLL_MILLISECONDS);
    return;
  }
  try {
    if ((await readOwner(lock)).state === 'gone') await rename(lock, join(clearing, 'lock'));
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
  return made !== undefined && Date.now() - made.mtimeMs > OWNERLESS_GRACE_MILLISECONDS;
}
