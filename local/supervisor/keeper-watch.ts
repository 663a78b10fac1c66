import type { ChildProcess } from 'node:child_process';
import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import type { SupervisorId } from './supervisor-id.ts';
import { startProcess, WATCH_FD } from './supervisor-command.ts';

const RESTART_MILLISECONDS = 500;

/** Restarts the keeper if it was killed. The keeper does the same for the supervisor. */
export class KeeperWatch {
  readonly #place: SupervisorId;
  #keeper: ChildProcess | undefined;
  #pid: number | undefined;
  #ending = false;

  constructor(place: SupervisorId) {
    this.#place = place;
  }

  get pid(): number | undefined {
    return this.#pid;
  }

  /** Watches the keeper that started this process. Does nothing if no keeper started it, as in a test. */
  begin(): void {
    if (!hasWatchPipe()) return;
    this.#pid = process.ppid;
    const pipe = new Socket({ fd: WATCH_FD });
    pipe.on('error', () => undefined).on('close', () => this.#restart());
    pipe.resume();
    pipe.unref();
  }

  /** Tells the keeper to end too. */
  end(): void {
    this.#ending = true;
    const pipe = this.#keeper?.stdio[WATCH_FD];
    if (pipe && 'end' in pipe) pipe.end('end');
  }

  #restart(): void {
    if (this.#ending) return;
    try {
      const keeper = startProcess('keeper', this.#place, ['--adopt']);
      this.#keeper = keeper;
      this.#pid = keeper.pid;
      keeper.stdio[WATCH_FD]?.on('error', () => undefined);
      keeper.on('error', () => {
        if (keeper.pid === undefined) this.#restartLater();
      });
      keeper.on('exit', () => this.#restartLater());
      keeper.unref();
    } catch {
      this.#restartLater(); // no memory for a process
    }
  }

  #restartLater(): void {
    setTimeout(() => this.#restart(), RESTART_MILLISECONDS).unref();
  }
}

function hasWatchPipe(): boolean {
  try {
    return fstatSync(WATCH_FD).isSocket(); // Node makes its pipes from socket pairs
  } catch {
    return false;
  }
}
