import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { Refused } from '../gateway/refused.ts';
import { eachLine } from '../system/each-line.ts';
import type { Answer, Query, Replica } from './replica.ts';
import { sendQuery } from './send-query.ts';
import { ServerFailed } from './server-failed.ts';

/** How to run a model server: `--uds` and `--parent-fd` are added. */
export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface ModelServerOptions {
  readonly socketPath: string;
  readonly entity: string;
  readonly timeLimitSeconds: number;
  /** The longest that importing, loading and the first prediction may take together. */
  readonly loadSeconds: number;
  /** Takes each line of its output. */
  readonly say: (line: string) => void;
}

/** Shorter than the model server keeps an idle connection (5 s), so that it never closes one that is just being used. */
const IDLE_CONNECTION_MILLISECONDS = 3000;
const KILL_AFTER_MILLISECONDS = 10_000;
/** The server's own limits (10 s in its queue, then the prediction's) answer first; this one is for a server that hangs. */
const LIMIT_MARGIN_SECONDS = 30;
const LAST_LINES = 30;
const PARENT_FD = 3;

/** A model server as a process of its own. It ends when this process does: its pipe then closes. */
export class ModelServer implements Replica {
  readonly ready: Promise<void>;
  readonly ended: Promise<string>;
  readonly #options: ModelServerOptions;
  readonly #child: ChildProcess;
  readonly #agent = new Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MILLISECONDS, scheduling: 'lifo' });
  readonly #lines: string[] = [];

  constructor(command: ServerCommand, options: ModelServerOptions) {
    this.#options = options;
    const { program, args, env, cwd } = command;
    const own = ['--uds', options.socketPath, '--parent-fd', String(PARENT_FD)];
    this.#child = spawn(program, [...args, ...own], {
      env,
      ...(cwd !== undefined && { cwd }),
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      detached: true, // its own group, so that nothing of it can be left behind
    });
    this.#child.stdio[PARENT_FD]?.on('error', () => undefined);
    this.ended = this.#watchEnd();
    this.ready = this.#watchStart();
    this.ready.catch(() => undefined); // also when nobody waits for it yet
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  async send(query: Query): Promise<Answer> {
    const { socketPath, entity, timeLimitSeconds } = this.#options;
    const limitSeconds = timeLimitSeconds + LIMIT_MARGIN_SECONDS;
    try {
      return await sendQuery(query, { socketPath, agent: this.#agent, entity, limitSeconds });
    } catch (e) {
      if (e instanceof Refused && e.refusal.status === 504) this.#killGroup(); // so that another takes its place
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
        this.#killGroup(); // workers end with their server; this makes sure
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
      const hear = (line: string) => {
        this.#keep(line);
        const event = parseEvent(line);
        if (event?.event === 'failed') stopWith(failedServer(event, this.#lines));
        if (event?.event === 'ready') {
          clearTimeout(limit);
          done();
        }
      };
      for (const stream of [this.#child.stdout, this.#child.stderr]) if (stream) eachLine(stream, hear);
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
      // the group is gone, as it should be
    }
  }
}

interface ServerEvent {
  readonly event?: unknown;
  readonly stage?: unknown;
  readonly message?: unknown;
  readonly trace?: unknown;
}

function parseEvent(line: string): ServerEvent | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as ServerEvent;
  } catch {
    return undefined;
  }
}

function failedServer({ stage, message, trace }: ServerEvent, lines: readonly string[]): ServerFailed {
  const log = typeof trace === 'string' && trace !== '' ? trace.split('\n') : lines.filter((l) => !parseEvent(l));
  return new ServerFailed(
    typeof stage === 'string' ? stage : 'start',
    typeof message === 'string' ? message : 'The model server failed',
    log,
  );
}
