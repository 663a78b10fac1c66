import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { davitFolder, makeDavitFolder, retryWhileRemoved } from '../../system/davit-folder.ts';
import { type FileLockOptions, withFileLock } from '../../system/locks/file-lock.ts';
import { KeyedMutex } from '../../system/locks/keyed-mutex.ts';
import {
  determineProcessState,
  identifyProcess,
  parseIdentity,
  type ProcessIdentity,
  renderIdentity,
} from '../../system/process-identity.ts';
import type { Backend } from './backend.ts';

/** The start of the names of records in `.davit/`, one for each operation that uses the state. */
const RECORD = 'in-use.';
/** The lock of a removal, beside what it removes. */
const LOCK = 'removal.lock';
/** Maximum age of a record without an identity. An older one was left by a process that died while writing it. */
const INCOMPLETE_GRACE_MILLISECONDS = 15_000;

/** A process that uses the state of a project, or may use it. */
export interface StateUser {
  /** Its record. */
  readonly file: string;
  /** `unknown`: the process is not visible here. */
  readonly state: 'runs' | 'unknown';
  /** Undefined: the record is not complete yet. */
  readonly identity: ProcessIdentity | undefined;
}

type WaitOptions = Pick<FileLockOptions, 'progress' | 'signal'>;

/** Whether the state is in the project's own folder, which Davit removes when no stack is left. */
export function hasOwnState({ root, backend }: { readonly root: string; readonly backend: Backend }): boolean {
  return backend.folder === davitFolder(root, 'pulumi');
}

/**
 * Runs an operation that uses a project's state. Until it ends, no process removes the state. If the state is being
 * removed, the operation starts afterwards.
 */
export async function withStateInUse<T>(
  root: string,
  operate: () => Promise<T>,
  options: WaitOptions = {},
): Promise<T> {
  const record = await writeRecord(root);
  try {
    // A removal reads the records after it has taken its lock. It has read this one, or its lock is found here.
    if (existsSync(davitFolder(root, LOCK))) {
      await withRemovalLock(root, () => Promise.resolve(), options);
      await makeDavitFolder(root);
    }
    return await operate();
  } finally {
    await rm(record, { force: true });
  }
}

/** Runs `remove`, unless an operation of this or another process uses the state. Returns the users that prevent it. */
export async function removeUnlessInUse(
  root: string,
  remove: () => Promise<void>,
  options: WaitOptions = {},
): Promise<readonly StateUser[]> {
  const record = await writeRecord(root); // keeps the folder of the lock until this removal has the lock
  const removeAlone = async () => {
    await rm(record);
    const users = await refreshUsers(root);
    if (users.length === 0) await remove();
    return users;
  };
  try {
    return await withRemovalLock(root, removeAlone, options);
  } finally {
    await rm(record, { force: true });
  }
}

/** In this process removals take turns without the file lock, which is polled and reports whom it waits for. */
const removals = new KeyedMutex();

function withRemovalLock<T>(root: string, work: () => Promise<T>, options: WaitOptions): Promise<T> {
  const lock = davitFolder(root, LOCK);
  return removals.take(lock, () => withFileLock(lock, work, { ...options, what: 'removing unused state' }));
}

async function writeRecord(root: string): Promise<string> {
  const file = davitFolder(root, `${RECORD}${process.pid}.${randomBytes(4).toString('hex')}`);
  await retryWhileRemoved(async () => {
    await makeDavitFolder(root);
    await writeFile(file, renderIdentity(identifyProcess()));
  });
  return file;
}

/** Returns the processes that use the state, and removes the records of ended ones. */
export async function refreshUsers(root: string): Promise<readonly StateUser[]> {
  const names = await readdir(davitFolder(root));
  const files = names.filter((name) => name.startsWith(RECORD)).map((name) => join(davitFolder(root), name));
  return (await Promise.all(files.map(readUser))).flat();
}

async function readUser(file: string): Promise<readonly StateUser[]> {
  const made = await stat(file).catch(() => undefined);
  if (!made) return []; // its operation has ended meanwhile
  const identity = parseIdentity(await readFile(file, 'utf8').catch(() => ''));
  const isOld = Date.now() - made.mtimeMs > INCOMPLETE_GRACE_MILLISECONDS;
  const state = identity ? determineProcessState(identity) : isOld ? 'gone' : 'unknown';
  if (state !== 'gone') return [{ file, state, identity }];
  await rm(file, { force: true });
  return [];
}
