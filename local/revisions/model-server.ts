import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { Agent } from '../../system/node-http.ts';
import { Refused } from '../../serving-api/refusal-error.ts';
import type { ModelLoading } from '../../schemas/endpoint/worker-mode.ts';
import { forEachLine } from '../../system/for-each-line.ts';
import type { QueryResponse, Query, Replica } from './replica.ts';
import { sendQuery } from '../gateway/send-query.ts';
import { EVENTS_FD, eachServerEvent, type FailedEvent, parseServerEvent } from './server-events.ts';
import { ServerFailed } from './model-server-errors.ts';

/** The command of a model server, without `--uds`, `--parent-fd` and `--events-fd`. */
export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The folders of the virtualenvs that the command needs. */
  readonly virtualenvs?: readonly string[];
}

export interface ModelServerOptions {
  readonly socketPath: string;
  readonly entity: string;
  readonly timeLimitSeconds: number;
  /** Maximum seconds for import, load and first prediction together. */
  readonly loadSeconds: number;
  /** Receives each line of the server's output. */
  readonly say: (line: string) => void;
}

/** Shorter than the model server's idle timeout (5 s), so that the server never closes a connection in use. */
const IDLE_CONNECTION_MILLISECONDS = 3000;
const KILL_AFTER_MILLISECONDS = 10_000;
/** What a request may take beyond the server's own limits (its wait, then its prediction), before the server hangs. */
const LIMIT_MARGIN_SECONDS = 20;
/** Of an older server, which does not say it. */
const LONGEST_WAIT_SECONDS = 10;
const LAST_LINES = 30;
/** Time to read the remaining output of a failed server. */
const LAST_LINES_MILLISECONDS = 1000;
const PARENT_FD = 3;

/** A model server process. It ends with this process, because its pipe then closes. */
export class ModelServer implements Replica {
  readonly ready: Promise<void>;
  readonly ended: Promise<string>;
  readonly #options: ModelServerOptions;
  readonly #child: ChildProcess;
  readonly #agent = new Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MILLISECONDS, scheduling: 'lifo' });
  readonly #lines: string[] = [];
  #loading: ModelLoading | undefined;
  #longestWaitSeconds = LONGEST_WAIT_SECONDS;

  constructor(command: ServerCommand, options: ModelServerOptions) {
    this.#options = options;
    const { program, args, env, cwd } = command;
    const own = ['--uds', options.socketPath, '--parent-fd', String(PARENT_FD), '--events-fd', String(EVENTS_FD)];
    this.#child = spawn(program, [...args, ...own], {
      env,
      ...(cwd !== undefined && { cwd }),
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      detached: true, // its own process group, so that all its processes can be killed
    });
    this.#child.stdio[PARENT_FD]?.on('error', () => undefined);
    this.ended = this.#watchEnd();
    this.ready = this.#watchStart();
    this.ready.catch(() => undefined); // avoids an unhandled rejection before a caller waits
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get loading(): ModelLoading | undefined {
    return this.#loading;
  }

  get longestWaitSeconds(): number {
    return this.#longestWaitSeconds;
  }

  get reachable(): boolean {
    return existsSync(this.#options.socketPath);
  }

  async send(query: Query): Promise<QueryResponse> {
    const { socketPath, entity, timeLimitSeconds } = this.#options;
    const limitSeconds = this.#longestWaitSeconds + timeLimitSeconds + LIMIT_MARGIN_SECONDS;
    try {
      return await sendQuery(query, { socketPath, agent: this.#agent, entity, limitSeconds });
    } catch (e) {
      if (e instanceof Refused && e.refusal.status === 504) this.#killGroup(); // so that another replica replaces it
      throw e;
    }
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const kill = setTimeout(() => this.#killGroup(), KILL_AFTER_MILLISECONDS);
    await this.ended;
    clearTimeout(kill);
  }

  #watchEnd(): Promise<string> {
    return new Promise((done) => {
      this.#child.on('error', (e) => done(`it cannot be started: ${e.message}`));
      this.#child.on('exit', (code, signal) => {
        this.#killGroup(); // workers end with their server; kill any that do not
        this.#agent.destroy();
        rmSync(this.#options.socketPath, { force: true });
        done(signal === null ? `it ended with exit code ${code ?? -1}` : `it was ended by ${signal}`);
      });
    });
  }

  #watchStart(): Promise<void> {
    return new Promise((done, fail) => {
      const stopWith = (e: ServerFailed) => {
        clearTimeout(limit);
        fail(e);
      };
      const limit = setTimeout(() => {
        const { loadSeconds } = this.#options;
        stopWith(new ServerFailed('load', `The model was not ready after ${loadSeconds} s`, this.#lines));
      }, this.#options.loadSeconds * 1000);
      const failWith = (event: FailedEvent) => {
        const finish = () => stopWith(makeServerError(event, this.#lines));
        this.#child.on('close', finish);
        setTimeout(finish, event.trace.length > 0 ? 0 : LAST_LINES_MILLISECONDS).unref();
      };
      for (const stream of [this.#child.stdout, this.#child.stderr])
        if (stream) forEachLine(stream, (line) => this.#keep(line));
      eachServerEvent(this.#child.stdio[EVENTS_FD], (event) => {
        if (event.event === 'failed') {
          failWith(event);
          return;
        }
        this.#loading = event.loading;
        this.#longestWaitSeconds = event.longestWait ?? LONGEST_WAIT_SECONDS;
        clearTimeout(limit);
        done();
      });
      this.#child.on('close', () => {
        void this.ended.then((how) =>
          stopWith(new ServerFailed('start', `The model server did not start: ${how}`, this.#lines)),
        );
      });
      this.#child.on('error', (e) =>
        stopWith(new ServerFailed('start', `Cannot start the model server: ${e.message}`)),
      );
    });
  }

  #keep(line: string): void {
    this.#options.say(line);
    this.#lines.push(line);
    if (this.#lines.length > LAST_LINES) this.#lines.shift();
  }

  #killGroup(): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // the process group has already ended
    }
  }
}

/** Without a trace, uses the last lines of the log, except the line that repeats the failure event. */
function makeServerError({ stage, message, trace }: FailedEvent, lines: readonly string[]): ServerFailed {
  const isThis = (line: string) => {
    const event = parseServerEvent(line);
    return event?.event === 'failed' && event.message === message;
  };
  return new ServerFailed(stage, message, trace.length > 0 ? trace : lines.filter((line) => !isThis(line)));
}
