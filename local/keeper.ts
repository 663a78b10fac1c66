// Restarts the supervisor of one place when it is killed: `node keeper.ts --project ROOT --environment NAME [--adopt]`.
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Socket } from 'node:net';
import { HEALTHY_SECONDS, restartDelaySeconds } from './backoff.ts';
import { stateFolder } from './place.ts';
import { ANOTHER_RUNS, readPlace, startProcess, WATCH_FD } from './supervisor-command.ts';

/** Who started this keeper waits so long; a supervisor that cannot even start is theirs to hear of. */
const START_MILLISECONDS = 30_000;
/** One that cannot start so often in a row has a reason that only a person can remove, such as a state cut in half. */
const MOST_FAILED_STARTS = 5;

const { place, adopt } = readPlace();
let failures = 0;
let failedStarts = 0;
let supervisor: ChildProcess | undefined;

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
if (adopt) watch();
else keep();

/** Ends the supervisor, and this process with it; between two supervisors only this process. */
function stop(): void {
  if (!supervisor || supervisor.exitCode !== null || supervisor.signalCode !== null) process.exit(0);
  supervisor.kill('SIGTERM');
}

/** Runs a supervisor, and another one when it ends otherwise than by itself. */
function keep(): void {
  const started = Date.now();
  const child = startProcess('supervisor', place);
  supervisor = child;
  child.stdio[WATCH_FD]?.on('error', () => undefined);
  child.on('error', () => process.exit(1));
  child.on('exit', (code, signal) => {
    if (code === 0 || code === ANOTHER_RUNS) process.exit(0);
    failedStarts = code !== null && Date.now() - started < START_MILLISECONDS ? failedStarts + 1 : 0;
    if (failedStarts >= (failures === 0 && !adopt ? 1 : MOST_FAILED_STARTS)) process.exit(1);
    if (!existsSync(stateFolder(place))) process.exit(0); // somebody has removed all there was to serve
    if (Date.now() - started > HEALTHY_SECONDS * 1000) failures = 0;
    failures += 1;
    process.stderr.write(`the supervisor ended (${signal ?? `exit code ${code ?? -1}`}), starting it again\n`);
    setTimeout(keep, restartDelaySeconds(failures) * 1000);
  });
}

/** Watches a supervisor that started this keeper; it says so on the pipe when it ends by itself. */
function watch(): void {
  let heard = '';
  const pipe = new Socket({ fd: WATCH_FD });
  pipe.setEncoding('utf8').on('data', (text: string) => (heard += text));
  pipe.on('error', () => undefined);
  pipe.on('close', () => {
    if (heard.includes('end')) process.exit(0);
    failures = 1;
    keep();
  });
}
