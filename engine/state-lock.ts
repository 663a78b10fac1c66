import { readdir, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../system/is-alive.ts';
import type { Backend } from './backend.ts';

/** Who holds the state of a stack, in a backend of files. */
export interface StateLock {
  readonly file: string;
  readonly user: string;
  readonly host: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly since: string;
  /** Whether that process still runs; undefined: it is another machine's. */
  readonly alive: boolean | undefined;
}

/** Reads who holds a stack; none for a backend that is not a folder, where only the engine can tell. */
export async function readStateLocks(stack: string, backend: Backend): Promise<readonly StateLock[]> {
  if (!backend.folder) return [];
  const folder = join(backend.folder, '.pulumi', 'locks', 'organization', backend.project, stack);
  const names = await readdir(folder).catch(() => []);
  const locks = names.filter((name) => name.endsWith('.json')).map((name) => readLock(join(folder, name)));
  return (await Promise.all(locks)).flat();
}

/** Removes the locks whose process is gone from this machine, and no other; returns what stays. */
export async function releaseDeadLocks(locks: readonly StateLock[]): Promise<readonly StateLock[]> {
  const dead = locks.filter((lock) => lock.alive === false);
  // A lock's file has a name of its own: nobody else can have taken it over meanwhile.
  const files = dead.flatMap(({ file }) => [file, `${file}.attrs`]);
  await Promise.all(files.map((file) => rm(file, { force: true })));
  return locks.filter((lock) => lock.alive !== false);
}

/** Says who holds a stack and how to go on. */
export function renderStateLock(stack: string, { user, host, pid, since, alive }: StateLock): string {
  const next = alive
    ? `wait until it is done, or stop it with Ctrl-C there or with: kill -INT ${pid}`
    : `make sure that nothing runs there, then: pulumi cancel -s ${stack}`;
  return `Cannot change "${stack}": it is locked by process ${pid} of ${user} on ${host} since ${since}; ${next}`;
}

/** The holders that the engine names when it refuses: all that is known where the backend is not a folder. */
export async function parseLockRefusal(said: string): Promise<readonly StateLock[]> {
  const named = said.matchAll(/^\s+(\S+): created by (.+)@(\S+) \(pid (\d+)\) at (\S+)$/gm);
  return Promise.all(
    [...named].map(async ([, file = '', user = '', host = '', pid = '', since = '']) => {
      const alive = host === hostname() ? await isPulumi(Number(pid)) : undefined;
      return { file, user, host, pid: Number(pid), since, alive };
    }),
  );
}

/** Whether the engine refused because a stack is locked. */
export function isLockRefusal(said: string): boolean {
  return said.includes('the stack is currently locked by');
}

async function readLock(file: string): Promise<readonly StateLock[]> {
  try {
    const lock = JSON.parse(await readFile(file, 'utf8')) as Record<'username' | 'hostname' | 'timestamp', string> & {
      readonly pid: number;
    };
    const { pid, username: user, hostname: host, timestamp: since } = lock;
    return [{ file, user, host, pid, since, alive: host === hostname() ? await isPulumi(pid) : undefined }];
  } catch {
    return []; // released meanwhile
  }
}

/** The number of a process is used again: one that is not a pulumi does not hold the lock. Where unknowable, it may. */
async function isPulumi(pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'pulumi');
  return name.trim() === 'pulumi';
}
