import { readdir, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../../system/is-alive.ts';
import type { Backend } from './backend.ts';
import { removeHolderRecord, checkHolder } from './lock-holders.ts';

/** A lock on the state of a stack, with its holder. */
export interface StateLock {
  readonly file: string;
  readonly user: string;
  readonly host: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly since: string;
  /** Whether the holder still runs; undefined: it is on another machine or in a container, or no record exists. */
  readonly alive: boolean | undefined;
}

/** Reads the locks of a stack; none for a backend that is not a folder, where only the engine knows them. */
export async function readStateLocks(stack: string, backend: Backend): Promise<readonly StateLock[]> {
  if (!backend.folder) return [];
  const folder = join(backend.folder, '.pulumi', 'locks', 'organization', backend.project, stack);
  const names = await readdir(folder).catch(() => []);
  const root = backend.folder;
  const locks = names.filter((name) => name.endsWith('.json')).map((name) => readLock(join(folder, name), root));
  return (await Promise.all(locks)).flat();
}

/** Removes the locks whose process has ended on this machine, and no others; returns the remaining ones. */
export async function releaseDeadLocks(locks: readonly StateLock[], backend: Backend): Promise<readonly StateLock[]> {
  const dead = locks.filter((lock) => lock.alive === false);
  // Every lock has a file name of its own, so no other process can have taken it over meanwhile.
  const files = dead.flatMap(({ file }) => [file, `${file}.attrs`]);
  await Promise.all(files.map((file) => rm(file, { force: true })));
  const { folder } = backend;
  if (folder !== undefined) await Promise.all(dead.map(({ pid }) => removeHolderRecord(folder, pid)));
  return locks.filter((lock) => lock.alive !== false);
}

/** Names the holder of a stack's lock and the next step. */
export function renderStateLock(stack: string, { user, host, pid, since, alive }: StateLock): string {
  const next = alive
    ? `wait until it is done, or stop it with Ctrl-C there or with: kill -INT ${pid}`
    : `make sure that nothing runs there, then: pulumi cancel -s ${stack}`;
  return `Cannot change "${stack}": it is locked by process ${pid} of ${user} on ${host} since ${since}; ${next}`;
}

/** The holders that the engine names when it refuses. Nothing else is known where the backend is not a folder. */
export async function parseLockRefusal(said: string): Promise<readonly StateLock[]> {
  return Promise.all(
    said.split('\n').flatMap((line) => {
      const holder = parseHolder(line);
      return holder ? [addAlive(holder)] : [];
    }),
  );
}

/** `  FILE: created by USER@HOST (pid 7) at TIME`; a user's name may hold anything, also an @. */
function parseHolder(line: string): Omit<StateLock, 'alive'> | undefined {
  if (!/^\s/.test(line)) return undefined;
  const created = ': created by ';
  const begin = line.indexOf(created);
  const process = / \(pid (\d+)\) at (\S+)$/.exec(line.trimEnd());
  const file = line.slice(0, Math.max(begin, 0)).trim();
  if (file === '' || /\s/.test(file) || !process) return undefined;
  const holder = line.slice(begin + created.length, process.index);
  const at = holder.lastIndexOf('@');
  const host = holder.slice(at + 1);
  if (at < 1 || !/^\S+$/.test(host)) return undefined;
  return { file, user: holder.slice(0, at), host, pid: Number(process[1]), since: process[2] ?? '' };
}

async function addAlive(holder: Omit<StateLock, 'alive'>): Promise<StateLock> {
  return { ...holder, alive: holder.host === hostname() ? await isPulumi(holder.pid) : undefined };
}

/** Whether the engine refused because the stack is locked. */
export function isLockRefusal(said: string): boolean {
  return said.includes('the stack is currently locked by');
}

async function readLock(file: string, backend: string): Promise<readonly StateLock[]> {
  try {
    const lock = JSON.parse(await readFile(file, 'utf8')) as Record<'username' | 'hostname' | 'timestamp', string> & {
      readonly pid: number;
    };
    const { pid, username: user, hostname: host, timestamp: since } = lock;
    return [
      { file, user, host, pid, since, alive: host === hostname() ? await isHolderRunning(backend, pid) : undefined },
    ];
  } catch {
    return []; // released meanwhile
  }
}

/**
 * Whether the holder of a lock with this host's name runs. Without a record (plain `pulumi`), a running pulumi may be
 * it.
 */
async function isHolderRunning(backend: string, pid: number): Promise<boolean | undefined> {
  const state = await checkHolder(backend, pid);
  if (state !== 'unknown') return state === 'runs';
  return (await isPulumi(pid)) ? true : undefined;
}

/**
 * Process ids are reused, so a process that is not a pulumi does not hold the lock. If its name cannot be read, it may.
 */
async function isPulumi(pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'pulumi');
  return name.trim() === 'pulumi';
}
