import { Refused } from '../../serving-api/refusal-error.ts';
import { discardDamagedVirtualenv } from '../../python/ensure-virtualenv.ts';
import type { PythonOptions } from '../../python/find-uv.ts';
import { mayLoadAgain, type ModelLoading } from '../../schemas/endpoint/worker-mode.ts';
import type { Revision } from '../../schemas/deployment/revision.ts';
import type { Progress } from '../../system/progress.ts';
import { ModelServer, type ServerCommand } from './model-server.ts';
import type { QueryResponse, Query, Replica } from './replica.ts';
import type { RevisionFolder } from './revision-folder.ts';
import type { RevisionLog } from './revision-log.ts';
import { NotStarted, ServerFailed } from './model-server-errors.ts';
import type { Semaphore } from '../supervisor/semaphore.ts';

/** Makes the command that serves a revision, and prepares its virtualenvs. */
export type PrepareServer = (revision: RevisionFolder, options: PythonOptions) => Promise<ServerCommand>;

export interface LaunchOptions {
  readonly prepare: PrepareServer;
  readonly socketPath: string;
  /** Maximum seconds for one load of the model with its first prediction. */
  readonly loadSeconds: number;
  /** Limits how many replicas start at a time on this machine. */
  readonly slots: Semaphore;
  readonly output: RevisionLog;
  readonly progress: Progress;
}

/**
 * Makes the server predict its model's example, which a client cannot always send: MLflow can save values beyond JSON.
 */
const EXAMPLE_HEADERS = { 'content-type': 'application/json', 'content-length': '2', 'x-davit-example': '1' };
const NO_EXAMPLE = 501;
const SHOWN_CHARACTERS = 300;

type LoadedRevision = Pick<Revision, 'workers' | 'workerMode' | 'cases' | 'timeLimitSeconds'>;

/**
 * Maximum seconds until the model server is ready. It predicts every validation case before, each for as long as a request
 * may take. Workers that load the model again do so concurrently, after the first load.
 */
export function computeLoadLimit(
  { workers, workerMode, cases = [], timeLimitSeconds }: LoadedRevision,
  loadSeconds: number,
): number {
  return (loadSeconds + cases.length * timeLimitSeconds) * (mayLoadAgain(workerMode ?? 'found', workers) ? 2 : 1);
}

/**
 * Launches a replica: waits for a start slot, prepares the virtualenv, starts the process, makes a first prediction.
 */
export class LaunchedReplica implements Replica {
  readonly ready: Promise<void>;
  readonly ended: Promise<string>;
  readonly #revision: RevisionFolder;
  readonly #options: LaunchOptions;
  readonly #stop = new AbortController();
  readonly #end = Promise.withResolvers<string>();
  #begun = false;
  #server: ModelServer | undefined;

  constructor(revision: RevisionFolder, options: LaunchOptions) {
    this.#revision = revision;
    this.#options = options;
    this.ended = this.#end.promise;
    this.ready = options.slots.use(() => this.#start());
    this.ready.catch(() => {
      if (!this.#server) this.#end.resolve('it was never started');
    });
  }

  get pid(): number | undefined {
    return this.#server?.pid;
  }

  get loading(): ModelLoading | undefined {
    return this.#server?.loading;
  }

  get longestWaitSeconds(): number {
    return this.#server?.longestWaitSeconds ?? 0;
  }

  get reachable(): boolean {
    return this.#server?.reachable ?? true;
  }

  send(query: Query): Promise<QueryResponse> {
    if (!this.#server) return Promise.reject(new NotStarted('it has not been started'));
    return this.#server.send(query);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('Stopped before it was started'));
    if (!this.#begun) this.#end.resolve('it was never started');
    if (this.#server) await this.#server.stop();
    await this.ended;
  }

  async #start(): Promise<void> {
    const { prepare, output, progress, socketPath, loadSeconds } = this.#options;
    const { signal } = this.#stop;
    signal.throwIfAborted();
    this.#begun = true;
    const command = await prepare(this.#revision, { progress, signal });
    signal.throwIfAborted();
    const { entity, timeLimitSeconds } = this.#revision.revision;
    const loadLimit = computeLoadLimit(this.#revision.revision, loadSeconds);
    progress.say(`Loading ${entity} …`);
    const started = performance.now();
    const say = (line: string) => output.add(line);
    const server = new ModelServer(command, { socketPath, entity, timeLimitSeconds, loadSeconds: loadLimit, say });
    this.#server = server;
    void server.ended.then((how) => this.#end.resolve(how));
    try {
      await server.ready;
    } catch (e) {
      await this.#discardDamaged(command);
      throw e;
    }
    const hasPredicted = await this.#predict(server);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const end = hasPredicted ? ' and made a first prediction' : '; it has no input to predict';
    progress.say(`Loaded ${entity} in ${seconds} s (process ${server.pid ?? 0})${end}`);
  }

  /** The next start makes virtualenvs again in which files are missing, which may be why this one failed. */
  async #discardDamaged({ virtualenvs = [] }: ServerCommand): Promise<void> {
    for (const folder of virtualenvs)
      if (await discardDamagedVirtualenv(folder))
        this.#options.progress.say(`Files are missing in the virtualenv ${folder}; the next start makes it again`);
  }

  /**
   * The server has already predicted. This prediction tests the path of a request. Returns false for a model that has
   * nothing to predict.
   */
  async #predict(server: ModelServer): Promise<boolean> {
    try {
      const { status, body: answer } = await server.send({ headers: EXAMPLE_HEADERS, body: Buffer.from('{}') });
      if (status === 200 || status === NO_EXAMPLE) return status === 200;
      const shown = answer.toString('utf8').slice(0, SHOWN_CHARACTERS);
      throw new ServerFailed('predict', `The model answers its own example with status ${status}: ${shown}`);
    } catch (e) {
      if (!(e instanceof Refused) && !(e instanceof NotStarted)) throw e;
      throw new ServerFailed('predict', `The model did not respond to its own example: ${e.message}`);
    }
  }
}
