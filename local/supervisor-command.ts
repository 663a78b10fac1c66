import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, statSync, truncateSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { codePath } from '../system/code.ts';
import { childEnvironment } from '../system/run-process.ts';
import { type Place, stateFolder } from './place.ts';

/** The pipe by which supervisor and keeper notice each other's end. */
export const WATCH_FD = 3;

/** The supervisor ended because another one runs already. */
export const ANOTHER_RUNS = 75;

const MAX_LOG_BYTES = 1024 * 1024;

/** Starts `keeper.ts` or `supervisor.ts` for a place, in a session of its own, with a pipe at WATCH_FD. */
export function startProcess(
  program: 'keeper' | 'supervisor',
  place: Place,
  more: readonly string[] = [],
): ChildProcess {
  const log = openLog(place);
  try {
    const main = codePath('local', `${program}.ts`);
    const args = [main, '--project', place.root, '--environment', place.environment, ...more];
    return spawn(process.execPath, args, {
      cwd: '/',
      env: childEnvironment(),
      detached: true,
      stdio: ['ignore', log, log, 'pipe'],
    });
  } finally {
    closeSync(log);
  }
}

/** Reads the arguments of either program. */
export function readPlace(): { readonly place: Place; readonly adopt: boolean } {
  const options = { project: { type: 'string' }, environment: { type: 'string' }, adopt: { type: 'boolean' } } as const;
  const { project, environment, adopt = false } = parseArgs({ options }).values;
  if (project === undefined || environment === undefined)
    throw new TypeError('expected --project ROOT --environment NAME');
  return { place: { root: project, environment }, adopt };
}

/** Where the two programs say what goes wrong. */
export function supervisorLog(place: Place): string {
  return stateFolder(place, 'supervisor.log');
}

function openLog(place: Place): number {
  mkdirSync(stateFolder(place), { recursive: true, mode: 0o700 });
  const file = supervisorLog(place);
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES) truncateSync(file);
  return openSync(file, 'a', 0o600);
}
