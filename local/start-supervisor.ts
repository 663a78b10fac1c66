import type { ChildProcess } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { withFileLock } from '../system/file-lock.ts';
import { type Progress, SILENT } from '../system/progress.ts';
import { isAlive } from '../system/is-alive.ts';
import { ControlClient } from './control-client.ts';
import { readControlFile } from './control-file.ts';
import type { Status } from './control-protocol.ts';
import { ControlRefused, SupervisorGone } from './control-refused.ts';
import { describeEndpoints, describeStored } from './describe-fleet.ts';
import { readStored } from './durable-state.ts';
import { type Place, startLock, stateFolder } from './place.ts';
import { readLog } from './revision-log.ts';
import { startProcess, supervisorLog } from './supervisor-command.ts';

const POLL_MILLISECONDS = 25;
const RETRY_MILLISECONDS = 500;
const START_SECONDS = 30;
const END_SECONDS = 30;
const LAST_SECONDS = 10;
const TRIES = 3;
const LOG_LINES = 10;

/** The supervisor of a project's environment: the one that runs, else a new one, when it answers. */
export async function ensureSupervisor(
  projectRoot: string,
  environment: string,
  progress: Progress = SILENT,
): Promise<ControlClient> {
  const place = { root: await realpath(projectRoot), environment };
  const running = await connectSupervisor(projectRoot, environment);
  if (running) return running;
  return withFileLock(startLock(place), () => start(place, progress), {
    what: `starting the supervisor of "${environment}"`,
    progress,
  });
}

/** The supervisor that runs; undefined: none does. One that is about to end is waited for. */
export async function connectSupervisor(projectRoot: string, environment: string): Promise<ControlClient | undefined> {
  const place = { root: await realpath(projectRoot), environment };
  for (const due = deadline(END_SECONDS); !due.passed; await due.pause()) {
    const control = await readControlFile(place);
    if (!control) return undefined;
    const client = new ControlClient(control.socketPath);
    try {
      await client.status();
      return client;
    } catch (e) {
      if (e instanceof SupervisorGone) return undefined;
      if (!(e instanceof ControlRefused) || e.error.code !== 'ending') throw e;
    }
  }
  throw new Error(
    `Cannot start the supervisor of "${environment}": the one before has not ended after ${END_SECONDS} s`,
  );
}

/** Runs `work` with the supervisor, again with the next one when it was killed or ended meanwhile; `work` must bear that. */
export async function withSupervisor<T>(
  place: Place,
  work: (client: ControlClient) => Promise<T>,
  { progress = SILENT, signal }: { readonly progress?: Progress; readonly signal?: AbortSignal } = {},
): Promise<T> {
  for (let tries = 1; ; tries++) {
    const client = await ensureSupervisor(place.root, place.environment, progress);
    try {
      return await work(client);
    } catch (e) {
      const gone = e instanceof SupervisorGone || (e instanceof ControlRefused && e.error.code === 'ending');
      if (!gone || tries === TRIES || signal?.aborted) throw e;
      progress.say('The supervisor ended in the middle; trying again with the next one …');
    }
  }
}

/** What the environment looks like: from its supervisor, else from what that left; undefined: there is nothing. */
export async function readStatus(projectRoot: string, environment: string): Promise<Status | undefined> {
  const client = await connectSupervisor(projectRoot, environment);
  if (client) return client.status();
  const place = { root: await realpath(projectRoot), environment };
  const stored = await readStored(stateFolder(place));
  if (!stored) return undefined;
  const { port, tokens, revisions } = stored;
  return {
    ...place,
    running: false,
    pid: undefined,
    keeper: undefined,
    gateway: { url: undefined, port, problem: 'The supervisor does not run' },
    tokens: tokens.length,
    endpoints: describeEndpoints(stored),
    revisions: Object.entries(revisions).map(([name, revision]) => describeStored(name, revision)),
  };
}

/** Whether there is anything to take away: a supervisor, which may know of nothing, or what one left. */
export async function isThere(place: Place): Promise<boolean> {
  if (await connectSupervisor(place.root, place.environment)) return true;
  return (await readStored(stateFolder(place))) !== undefined;
}

/** Resolves when a supervisor that said it is ending, and its keeper, are gone. */
export async function waitForEnd({ pid, keeper }: Pick<Status, 'pid' | 'keeper'>): Promise<void> {
  const processes = [pid, keeper].filter((p) => p !== undefined);
  for (const due = deadline(LAST_SECONDS); !due.passed; await due.pause()) if (!processes.some(isAlive)) return;
}

async function start(place: Place, progress: Progress): Promise<ControlClient> {
  const running = await connectSupervisor(place.root, place.environment);
  if (running) return running;
  progress.say(`Starting the supervisor of "${place.environment}" …`);
  return untilItAnswers(place);
}

function startKeeper(place: Place): ChildProcess {
  const keeper = startProcess('keeper', place);
  keeper.unref();
  const pipe = keeper.stdio[3];
  if (pipe && 'destroy' in pipe) pipe.destroy();
  return keeper;
}

async function untilItAnswers(place: Place): Promise<ControlClient> {
  let keeper = startKeeper(place);
  for (const due = deadline(START_SECONDS); !due.passed; await due.pause()) {
    const client = await connectSupervisor(place.root, place.environment);
    if (client) return client;
    if (keeper.exitCode === 0) {
      await sleep(RETRY_MILLISECONDS); // one whose state was removed still has the socket, and is about to notice
      keeper = startKeeper(place);
    } else if (keeper.exitCode !== null) break;
  }
  const log = await readLog(supervisorLog(place), LOG_LINES);
  if (keeper.pid !== undefined && keeper.exitCode === null) keeper.kill('SIGTERM');
  throw new Error([`Cannot start the supervisor of "${place.environment}": it does not answer`, ...log].join('\n    '));
}

/** A time until which something is tried, with pauses. */
function deadline(seconds: number) {
  const until = Date.now() + seconds * 1000;
  return {
    get passed() {
      return Date.now() > until;
    },
    pause: () => sleep(POLL_MILLISECONDS, true),
  };
}
