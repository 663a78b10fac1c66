import type { ChildProcess } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { withFileLock } from '../../system/locks/file-lock.ts';
import { type Progress, SILENT } from '../../system/progress.ts';
import { isAlive } from '../../system/is-alive.ts';
import { sendSignal } from '../../system/send-signal.ts';
import { ControlClient } from '../control/control-client.ts';
import { type ControlFile, isRunning, isSupervisor, readControlFile } from '../control/control-file.ts';
import type { Status } from '../control/control-protocol.ts';
import { ControlRefused, SupervisorGone, SupervisorHangs } from '../control/control-errors.ts';
import { describeEndpoints, describeStoredRevision } from './describe-fleet.ts';
import { readSupervisorState } from './durable-state.ts';
import { type SupervisorId, startLockPath, stateFolder } from './supervisor-id.ts';
import { readLog } from '../revisions/revision-log.ts';
import { startProcess, supervisorLogPath } from './supervisor-command.ts';

const POLL_MILLISECONDS = 25;
const RETRY_MILLISECONDS = 500;
const START_SECONDS = 30;
const END_SECONDS = 30;
/** A supervisor whose socket was removed makes another one within a second. */
const SOCKET_RESTORE_SECONDS = 10;
/** A live supervisor responds immediately even under load, because it does no long work itself. */
const ANSWER_SECONDS = 25;
const EXIT_SECONDS = 10;
/** A wait for the end of a supervisor is reported after this time. */
const NOTICE_SECONDS = 2;
const MAX_ATTEMPTS = 3;
const LOG_LINES = 10;

export interface StartOptions {
  readonly progress?: Progress;
  /** Aborts the wait, and stops a supervisor that this call started and that does not respond yet. */
  readonly signal?: AbortSignal | undefined;
}

/** Connects to the supervisor of an environment, and starts one if none runs. Resolves when it responds. */
export async function ensureSupervisor(
  projectRoot: string,
  environment: string,
  { progress = SILENT, signal }: StartOptions = {},
): Promise<ControlClient> {
  const place = { root: await realpath(projectRoot), environment };
  const running = await connectSupervisor(projectRoot, environment, signal).catch(ignoreUnresponsive);
  if (running) return running;
  return withFileLock(startLockPath(place), () => start(place, { progress, signal }), {
    what: `starting the supervisor of "${environment}"`,
    progress,
    signal,
  });
}

/**
 * Connects to the running supervisor. Returns undefined if none runs. Waits for a supervisor that is ending, or that is
 * replacing its removed socket. Throws SupervisorHangs if a running supervisor does not respond.
 */
export async function connectSupervisor(
  projectRoot: string,
  environment: string,
  signal?: AbortSignal,
): Promise<ControlClient | undefined> {
  const place = { root: await realpath(projectRoot), environment };
  const lost = deadline(SOCKET_RESTORE_SECONDS);
  for (const due = deadline(END_SECONDS, signal); !due.passed; await due.pause()) {
    const control = await readControlFile(place);
    if (!control) return undefined;
    const client = new ControlClient(control.socketPath);
    try {
      const limit = AbortSignal.timeout(ANSWER_SECONDS * 1000);
      await client.status({ signal: signal ? AbortSignal.any([limit, signal]) : limit });
      return client;
    } catch (e) {
      signal?.throwIfAborted();
      if (e instanceof SupervisorGone) {
        if (!isRunning(control)) return undefined;
        if (lost.passed) throw hangs(environment, control);
      } else if ((e as Error).name === 'TimeoutError') throw hangs(environment, control);
      else if (!(e instanceof ControlRefused) || e.error.code !== 'ending') throw e;
    }
  }
  throw new Error(
    `Cannot start the supervisor of "${environment}": the previous one has not ended after ${END_SECONDS} s`,
  );
}

/**
 * Runs `work` with the supervisor. Repeats it with the next one if the supervisor ends, so `work` must be idempotent.
 */
export async function withSupervisor<T>(
  place: SupervisorId,
  work: (client: ControlClient) => Promise<T>,
  { progress = SILENT, signal }: StartOptions = {},
): Promise<T> {
  for (let tries = 1; ; tries++) {
    const client = await ensureSupervisor(place.root, place.environment, { progress, signal });
    try {
      return await work(client);
    } catch (e) {
      const gone = e instanceof SupervisorGone || (e instanceof ControlRefused && e.error.code === 'ending');
      if (!gone || tries === MAX_ATTEMPTS || signal?.aborted) throw e;
      progress.say('The supervisor ended during the operation; retrying with a new one …');
    }
  }
}

/** Reads the status from the supervisor, else from the durable state. Returns undefined if neither exists. */
export async function readStatus(
  projectRoot: string,
  environment: string,
  signal?: AbortSignal,
): Promise<Status | undefined> {
  const client = await connectSupervisor(projectRoot, environment, signal);
  if (client) return client.status({ ...(signal && { signal }) });
  const place = { root: await realpath(projectRoot), environment };
  const stored = await readSupervisorState(stateFolder(place));
  if (!stored) return undefined;
  const { port, tokens, revisions } = stored;
  return {
    ...place,
    running: false,
    pid: undefined,
    keeper: undefined,
    gateway: { url: undefined, port, problem: 'The supervisor is not running' },
    tokens: tokens.length,
    endpoints: describeEndpoints(stored),
    revisions: Object.entries(revisions).map(([name, revision]) => describeStoredRevision(name, revision)),
  };
}

/** Whether a supervisor runs, even an empty one, or a durable state exists. */
export async function hasSupervisorOrState(place: SupervisorId): Promise<boolean> {
  if (await connectSupervisor(place.root, place.environment)) return true;
  return (await readSupervisorState(stateFolder(place))) !== undefined;
}

interface EndOptions {
  readonly progress?: Progress;
  readonly limitSeconds?: number;
  readonly noticeSeconds?: number;
}

/** Waits until an ending supervisor and its keeper have ended, or a time limit has passed. Reports a long wait. */
export async function waitForEnd(
  { pid, keeper }: Pick<Status, 'pid' | 'keeper'>,
  { progress = SILENT, limitSeconds = EXIT_SECONDS, noticeSeconds = NOTICE_SECONDS }: EndOptions = {},
): Promise<void> {
  const listRunning = () => [pid, keeper].filter((p) => p !== undefined && isAlive(p));
  const notice = deadline(noticeSeconds);
  let reported = false;
  for (const due = deadline(limitSeconds); !due.passed; await due.pause()) {
    const running = listRunning();
    if (running.length === 0) return;
    if (!reported && notice.passed) progress.say(`Waiting for the supervisor to end (process ${running.join(', ')}) …`);
    reported ||= notice.passed;
  }
  const left = listRunning();
  if (left.length > 0)
    progress.say(`The supervisor has not ended after ${limitSeconds} s (process ${left.join(', ')}); continuing`);
}

async function start(place: SupervisorId, options: Required<StartOptions>): Promise<ControlClient> {
  const running = await connectOrEndHanging(place, options);
  if (running) return running;
  options.progress.say(`Starting the supervisor of "${place.environment}" …`);
  return startKeeperAndConnect(place, options.signal);
}

/** Connects to the running supervisor. Ends one that does not respond, and then returns undefined. */
async function connectOrEndHanging(
  place: SupervisorId,
  options: Required<StartOptions>,
): Promise<ControlClient | undefined> {
  try {
    const client = await connectSupervisor(place.root, place.environment, options.signal);
    if (client) return client;
  } catch (e) {
    if (!(e instanceof SupervisorHangs)) throw e;
  }
  const control = await readControlFile(place);
  if (control && isSupervisor(control, place)) await endSupervisor(control, options);
  return undefined;
}

async function endSupervisor({ pid }: ControlFile, { progress, signal }: Required<StartOptions>): Promise<void> {
  progress.say(`Stopping the unresponsive supervisor (process ${pid}) …`);
  sendSignal(pid, 'SIGTERM');
  for (const due = deadline(EXIT_SECONDS, signal); !due.passed; await due.pause()) if (!isAlive(pid)) return;
  sendSignal(pid, 'SIGKILL');
}

function hangs(environment: string, { pid }: ControlFile): SupervisorHangs {
  return new SupervisorHangs(
    `Cannot reach the supervisor of "${environment}": process ${pid} is running but not responding. npx davit up replaces it`,
  );
}

function ignoreUnresponsive(e: unknown): undefined {
  if (!(e instanceof SupervisorHangs)) throw e;
}

function startKeeper(place: SupervisorId): ChildProcess {
  const keeper = startProcess('keeper', place);
  keeper.unref();
  const pipe = keeper.stdio[3];
  if (pipe && 'destroy' in pipe) pipe.destroy();
  return keeper;
}

async function startKeeperAndConnect(place: SupervisorId, signal: AbortSignal | undefined): Promise<ControlClient> {
  let keeper = startKeeper(place);
  try {
    for (const due = deadline(START_SECONDS, signal); !due.passed; await due.pause()) {
      const client = await connectSupervisor(place.root, place.environment, signal);
      if (client) return client;
      if (keeper.exitCode === 0) {
        await sleep(RETRY_MILLISECONDS); // a supervisor whose state was removed keeps its socket for a moment
        keeper = startKeeper(place);
      } else if (keeper.exitCode !== null) break;
    }
  } catch (e) {
    endKeeper(keeper);
    throw e;
  }
  const log = await readLog(supervisorLogPath(place), LOG_LINES);
  endKeeper(keeper);
  throw new Error(
    [`Cannot start the supervisor of "${place.environment}": it is not responding`, ...log].join('\n    '),
  );
}

function endKeeper(keeper: ChildProcess): void {
  if (keeper.pid !== undefined && keeper.exitCode === null) keeper.kill('SIGTERM');
}

/** A deadline for a polling loop. Its pauses end when `signal` aborts. */
function deadline(seconds: number, signal?: AbortSignal) {
  const until = performance.now() + seconds * 1000;
  return {
    get passed() {
      return performance.now() > until;
    },
    pause: () => sleep(POLL_MILLISECONDS, true, { signal }),
  };
}
