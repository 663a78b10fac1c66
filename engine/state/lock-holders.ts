import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import {
  identifyProcess,
  determineProcessState,
  parseIdentity,
  renderIdentity,
} from '../../system/process-identity.ts';
import type { Backend } from './backend.ts';

/**
 * Records which process each of our engines is, beside the state. The engine signs its lock on a stack with a host name
 * and a process id only, and another machine, container or process may have the same. Call the returned function when
 * the engine has ended. If the engine was killed, its lock remains, and so does the record.
 */
export async function recordHolder(backend: Backend, pid: number | undefined): Promise<() => Promise<void>> {
  if (backend.folder === undefined || pid === undefined) return () => Promise.resolve();
  const identity = identifyProcess(pid);
  const file = join(holdersFolder(backend.folder), [pid, identity.boot, identity.namespace].join('_'));
  await mkdir(holdersFolder(backend.folder), { recursive: true });
  await writeFileAtomically(file, renderIdentity(identity));
  await removeStaleRecords(backend.folder);
  const { folder } = backend;
  return async () => {
    if (!(await listLockPids(folder)).has(pid)) await rm(file, { force: true });
  };
}

/**
 * Whether the engine with this process id runs; `unknown`: no record exists, or the process cannot be seen from here.
 */
export async function checkHolder(folder: string, pid: number): Promise<'runs' | 'gone' | 'unknown'> {
  const states = (await readRecords(folder, pid)).map(({ state }) => state);
  if (states.includes('unknown') || states.length === 0) return 'unknown';
  return states.includes('runs') ? 'runs' : 'gone';
}

/** The records of this process id: one for each boot and namespace, with whether that process runs. */
async function readRecords(folder: string, pid: number) {
  const names = await readdir(holdersFolder(folder)).catch(() => []);
  const mine = names.filter((name) => name.startsWith(`${pid}_`) && !name.endsWith('.new'));
  return Promise.all(
    mine.map(async (name) => {
      const file = join(holdersFolder(folder), name);
      const identity = parseIdentity(await readFile(file, 'utf8').catch(() => ''));
      return { file, state: identity ? determineProcessState(identity) : ('unknown' as const) };
    }),
  );
}

/** Removes the record of an engine that has ended; the caller removes its lock. */
export async function removeHolderRecord(folder: string, pid: number): Promise<void> {
  const names = await readdir(holdersFolder(folder)).catch(() => []);
  const mine = names.filter((name) => name.startsWith(`${pid}_`));
  await Promise.all(mine.map((name) => rm(join(holdersFolder(folder), name), { force: true })));
}

/**
 * Removes the records of engines whose locks were removed because their run is known to have ended elsewhere. A record
 * stays while a lock has its process id, or if it is of an engine that runs here and has the same process id.
 */
export async function removeReleasedRecords(folder: string, pids: readonly number[]): Promise<void> {
  const locked = await listLockPids(folder);
  const released = pids.filter((pid) => !locked.has(pid));
  const records = (await Promise.all(released.map((pid) => readRecords(folder, pid)))).flat();
  const removed = records.filter(({ state }) => state !== 'runs');
  await Promise.all(removed.map(({ file }) => rm(file, { force: true })));
}

/** Removes records of ended engines that left no lock. Their recorders were killed before they could do it. */
async function removeStaleRecords(folder: string): Promise<void> {
  const noted = (await readdir(holdersFolder(folder))).map((name) => Number.parseInt(name, 10));
  const states = await Promise.all(noted.map((pid) => checkHolder(folder, pid)));
  const locked = await listLockPids(folder); // read after the states: an ended engine takes no lock any more
  const over = noted.filter((pid, at) => states[at] === 'gone' && !locked.has(pid));
  await Promise.all(over.map((pid) => removeHolderRecord(folder, pid)));
}

async function listLockPids(folder: string): Promise<ReadonlySet<number>> {
  const locks = join(folder, '.pulumi', 'locks');
  const names = await readdir(locks, { recursive: true }).catch(() => []);
  const read = (name: string) => readFile(join(locks, name), 'utf8').catch(() => ''); // released meanwhile
  const texts = await Promise.all(names.filter((name) => name.endsWith('.json')).map(read));
  return new Set(texts.map((text) => Number(/"pid":\s*(\d+)/.exec(text)?.[1])));
}

function holdersFolder(folder: string): string {
  return join(folder, '.pulumi', 'davit-holders');
}
