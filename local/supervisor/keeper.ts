// Restarts a supervisor that was killed: `node keeper.ts --project ROOT --environment NAME [--adopt]`.
import '../../system/node-20.ts';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Socket } from 'node:net';
import { HEALTHY_SECONDS, computeRestartDelay } from '../revisions/backoff.ts';
import { stateFolder } from './supervisor-id.ts';
import {
  EXIT_ALREADY_RUNNING,
  EXIT_NO_ROOM,
  ignoreLogErrors,
  isLackOfRoom,
  parseSupervisorArguments,
  startProcess,
  WATCH_FD,
} from './supervisor-command.ts';

/** The caller waits this long for the supervisor. A failure within this time counts as a failed start. */
const START_MILLISECONDS = 30_000;
/**
 * After this many consecutive failed starts, the keeper ends: a user must fix the cause, such as a corrupt state. Starts
 * for which the machine has no room do not count, unless it is the first one, whose caller waits for it.
 */
const MAX_FAILED_STARTS = 5;

ignoreLogErrors();
const { place, adopt } = parseSupervisorArguments();
let failures = 0;
let failedStarts = 0;
let supervisor: ChildProcess | undefined;

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
if (adopt) watch();
else runSupervisor();

/** Stops the supervisor, and then this process. If no supervisor runs, ends this process immediately. */
function stop(): void {
  if (!supervisor || supervisor.exitCode !== null || supervisor.signalCode !== null) process.exit(0);
  supervisor.kill('SIGTERM');
}

/** Runs a supervisor, and restarts it unless it exits on purpose. */
function runSupervisor(): void {
  const started = performance.now();
  try {
    const child = startProcess('supervisor', place);
    supervisor = child;
    child.stdio[WATCH_FD]?.on('error', () => undefined);
    child.on('error', (e) => {
      if (child.pid === undefined) handleNoStart(e, started);
    });
    child.on('exit', (code, signal) => restart(signal ?? `exit code ${code ?? -1}`, { code, started }));
  } catch (e) {
    handleNoStart(e, started);
  }
}

function handleNoStart(e: unknown, started: number): void {
  restart(String(e), { code: isLackOfRoom(e) ? EXIT_NO_ROOM : 1, started });
}

/** Handles the end of a supervisor. `code` is null when a signal ended it, `started` as of `performance.now()`. */
function restart(how: string, { code, started }: { readonly code: number | null; readonly started: number }): void {
  if (code === 0 || code === EXIT_ALREADY_RUNNING) process.exit(0);
  const milliseconds = performance.now() - started;
  const isFirst = failures === 0 && !adopt;
  const isFailedStart = code !== null && milliseconds < START_MILLISECONDS && (isFirst || code !== EXIT_NO_ROOM);
  failedStarts = isFailedStart ? failedStarts + 1 : 0;
  if (failedStarts >= (isFirst ? 1 : MAX_FAILED_STARTS)) process.exit(1);
  if (!existsSync(stateFolder(place))) process.exit(0); // the state was removed, so nothing is left to serve
  if (milliseconds > HEALTHY_SECONDS * 1000) failures = 0;
  failures += 1;
  process.stderr.write(`the supervisor ended (${how}), restarting it\n`);
  setTimeout(runSupervisor, computeRestartDelay(failures) * 1000);
}

/** Watches the supervisor that started this keeper. A supervisor that ends on purpose writes "end" to the pipe. */
function watch(): void {
  let heard = '';
  const pipe = new Socket({ fd: WATCH_FD });
  pipe.setEncoding('utf8').on('data', (text: string) => (heard += text));
  pipe.on('error', () => undefined);
  pipe.on('close', () => {
    if (heard.includes('end')) process.exit(0);
    failures = 1;
    runSupervisor();
  });
}
