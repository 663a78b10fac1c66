import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, statSync, truncateSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { cacheFolder } from '../../system/cache.ts';
import { programPath } from '../../system/code.ts';
import { makeChildEnvironment } from '../../system/run-process.ts';
import { type SupervisorId, stateFolder } from './supervisor-id.ts';

/** File descriptor of the pipe through which supervisor and keeper detect each other's end. */
export const WATCH_FD = 3;

/** Exit code of a supervisor when another one already runs. */
export const EXIT_ALREADY_RUNNING = 75;

/** Exit code of a supervisor that the machine has no room for at the moment, so that it is worth another start. */
export const EXIT_NO_ROOM = 74;

const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'ENOMEM', 'EAGAIN', 'EMFILE', 'ENFILE']);

const MAX_LOG_BYTES = 1024 * 1024;

/** Starts `keeper.ts` or `supervisor.ts` for a place, in its own session, with a pipe at WATCH_FD. */
export function startProcess(
  program: 'keeper' | 'supervisor',
  place: SupervisorId,
  more: readonly string[] = [],
): ChildProcess {
  const log = openLog(place);
  try {
    const main = programPath('local', 'supervisor', `${program}.ts`);
    const args = [main, '--project', place.root, '--environment', place.environment, ...more];
    return spawn(process.execPath, args, {
      cwd: '/',
      env: makeChildEnvironment({ NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] || cacheFolder('node') }),
      detached: true,
      stdio: ['ignore', log, log, 'pipe'],
    });
  } finally {
    if (log !== 'ignore') closeSync(log);
  }
}

/** Reads the arguments of the supervisor or the keeper. */
export function parseSupervisorArguments(): { readonly place: SupervisorId; readonly adopt: boolean } {
  const options = { project: { type: 'string' }, environment: { type: 'string' }, adopt: { type: 'boolean' } } as const;
  const { project, environment, adopt = false } = parseArgs({ options }).values;
  if (project === undefined || environment === undefined)
    throw new TypeError('expected --project ROOT --environment NAME');
  return { place: { root: project, environment }, adopt };
}

/** Keeps a program running when its log cannot be written: the log is on a disk, which can be full. */
export function ignoreLogErrors(): void {
  process.stderr.on('error', () => undefined);
}

/** Whether disk, memory, processes or files of the machine are used up. */
export function isLackOfRoom(e: unknown): boolean {
  if (!(e instanceof Error)) return false;
  return NO_ROOM.has((e as NodeJS.ErrnoException).code ?? '') || isLackOfRoom(e.cause);
}

/** Path of the error log of the supervisor and the keeper. */
export function supervisorLogPath(place: SupervisorId): string {
  return stateFolder(place, 'supervisor.log');
}

function openLog(place: SupervisorId): number | 'ignore' {
  try {
    mkdirSync(stateFolder(place), { recursive: true, mode: 0o700 });
    const file = supervisorLogPath(place);
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES) truncateSync(file);
    return openSync(file, 'a', 0o600);
  } catch (e) {
    if (isLackOfRoom(e)) return 'ignore';
    throw e;
  }
}
