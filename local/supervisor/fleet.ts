import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Revision } from '../../schemas/deployment/revision.ts';
import type { Progress } from '../../system/progress.ts';
import type { ServingFailure, PatchRevisionRequest, PutRevisionRequest } from '../control/control-protocol.ts';
import { ControlRefused } from '../control/control-errors.ts';
import { type DurableState, type StoredRevision, omitKey } from './durable-state.ts';
import { LaunchedReplica, type PrepareServer } from '../revisions/launched-replica.ts';
import {
  makeRevisionFolder,
  readRevisionFolder,
  removeRevisionFolder,
  type RevisionFolder,
} from '../revisions/revision-folder.ts';
import type { RevisionLogs } from '../revisions/revision-logs.ts';
import { RevisionPool } from '../revisions/revision-pool.ts';
import { ServerFailed } from '../revisions/model-server-errors.ts';
import { Semaphore } from './semaphore.ts';
import { KeyedMutex } from '../../system/locks/keyed-mutex.ts';
import { readOwn } from '../../schemas/values/read-own.ts';
import { readErrorMessage } from '../../schemas/values/read-error-message.ts';

export interface FleetOptions {
  readonly state: DurableState;
  readonly logs: RevisionLogs;
  /** Folder of the revision folders. */
  readonly folder: string;
  /** Returns the folder for the next model server's socket. */
  readonly socketFolder: () => string;
  readonly prepare: PrepareServer;
  readonly loadSeconds: number;
}

/** A revision of the supervisor, in any phase. */
export interface TrackedRevision {
  readonly stored: StoredRevision;
  readonly phase: 'starting' | 'proven' | 'failed' | 'draining';
  readonly pool: RevisionPool | undefined;
}

/** Time that draining adds to the longest wait and the time limit of a request, so that the response can be sent. */
const DRAIN_MARGIN_SECONDS = 10;
const LOG_LINES = 20;

/** Manages the revisions of one environment: proves, changes and drains them, and restores them after a restart. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #known = new Map<string, TrackedRevision>();
  readonly #turns = new KeyedMutex();
  readonly #slots = new Semaphore(availableParallelism());
  #launched = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  get known(): ReadonlyMap<string, TrackedRevision> {
    return this.#known;
  }

  /** Restores every proven revision. Requests wait until it is ready again. */
  async restore(): Promise<void> {
    for (const [name, stored] of Object.entries(this.#options.state.now.revisions)) {
      const folder = stored.failure ? undefined : await readRevisionFolder(this.#folder(name));
      if (!folder) {
        const failure = stored.failure ?? { stage: 'model', message: `The files of ${name} are missing`, log: [] };
        this.#known.set(name, { stored: { ...stored, failure }, phase: 'failed', pool: undefined });
        continue;
      }
      const pool = this.#makePool(folder, stored, { say: (line) => this.#options.logs.build(name).add(line) });
      this.#known.set(name, { stored, phase: 'proven', pool });
      pool.resume();
    }
  }

  /** Starts and proves a revision. If it is already proven, only changes its settings. Throws ControlRefused. */
  put(put: PutRevisionRequest, progress: Progress, signal: AbortSignal): Promise<void> {
    const { name } = put.revision;
    return this.#turns.take(name, async () => {
      if (signal.aborted) throw cancelled(name);
      const there = this.#known.get(name);
      if (there?.phase === 'proven')
        return this.#change(name, { bounds: put.revision.bounds, autoscaling: put.autoscaling });
      if (there) await this.#forget(name);
      await this.#prove(put, progress, signal);
    });
  }

  patch(name: string, patch: PatchRevisionRequest): Promise<void> {
    return this.#turns.take(name, () => this.#change(name, patch));
  }

  /** Drains, stops and removes a revision. Succeeds if the revision does not exist. */
  delete(name: string, progress: Progress): Promise<void> {
    return this.#turns.take(name, async () => {
      const known = this.#known.get(name);
      if (!known) return;
      this.#refuseInUse(name);
      const { pool, stored } = known;
      if (pool) {
        this.#known.set(name, { ...known, phase: 'draining' });
        progress.say(`Draining ${name}: ${pool.inFlight + pool.queued} requests in flight …`);
        await pool.drain(stored.timeLimitSeconds + DRAIN_MARGIN_SECONDS);
      }
      await this.#forget(name);
    });
  }

  /** Must be called every second. */
  tick(): void {
    for (const { pool } of this.#known.values()) pool?.tick();
  }

  /** Stops every model server. The durable state stays. */
  async close(): Promise<void> {
    await Promise.all([...this.#known.values()].flatMap(({ pool }) => (pool ? [pool.close()] : [])));
  }

  async #prove(put: PutRevisionRequest, progress: Progress, signal: AbortSignal): Promise<void> {
    const { name } = put.revision;
    const build = this.#options.logs.build(name);
    const stored = toStoredRevision(put);
    const say = (line: string) => {
      build.add(line);
      progress.say(line);
    };
    this.#known.set(name, { stored, phase: 'starting', pool: undefined });
    let pool: RevisionPool | undefined;
    try {
      const folder = await makeRevisionFolder(this.#folder(name), put);
      pool = this.#makePool(folder, stored, { say });
      this.#known.set(name, { stored, phase: 'starting', pool });
      await rejectOnAbort(pool.prove(), signal);
      await this.#remember(name, stored);
      this.#known.set(name, { stored, phase: 'proven', pool });
    } catch (e) {
      await pool?.close();
      await removeRevisionFolder(this.#folder(name));
      if (signal.aborted) {
        await this.#forget(name);
        throw cancelled(name);
      }
      throw await this.#failed(name, stored, e);
    }
  }

  async #failed(name: string, stored: StoredRevision, e: unknown): Promise<ControlRefused> {
    const failure = await this.#describe(name, e);
    this.#known.set(name, { stored: { ...stored, failure }, phase: 'failed', pool: undefined });
    await this.#remember(name, { ...stored, failure });
    return new ControlRefused({ code: 'failed', message: failure.message, failure });
  }

  async #describe(name: string, e: unknown): Promise<ServingFailure> {
    const message = readErrorMessage(e);
    if (!(e instanceof ServerFailed)) return { stage: 'start', message, log: [] };
    const log = e.log.length > 0 ? e.log.slice(-LOG_LINES) : await this.#options.logs.read(name, 'log', LOG_LINES);
    return { stage: e.stage, message, log };
  }

  async #change(name: string, { bounds, autoscaling }: PatchRevisionRequest): Promise<void> {
    const known = this.#known.get(name);
    if (!known)
      throw new ControlRefused({ code: 'unknown', message: `Cannot change revision "${name}": it does not exist` });
    const stored = { ...known.stored, bounds, autoscaling };
    await this.#remember(name, stored);
    this.#known.set(name, { ...known, stored });
    known.pool?.change({ bounds, autoscaling });
  }

  async #remember(name: string, stored: StoredRevision): Promise<void> {
    await this.#options.state.change((s) => ({ ...s, revisions: { ...s.revisions, [name]: stored } }));
  }

  async #forget(name: string): Promise<void> {
    const { state, logs } = this.#options;
    if (readOwn(state.now.revisions, name))
      await state.change((s) => ({ ...s, revisions: omitKey(s.revisions, name) }));
    this.#known.delete(name);
    await removeRevisionFolder(this.#folder(name));
    await logs.remove(name);
  }

  #refuseInUse(name: string): void {
    const routes = Object.values(this.#options.state.now.endpoints);
    const user = routes.find((r) => r.entities.some((e) => e.revision === name));
    if (!user) return;
    throw new ControlRefused({
      code: 'in-use',
      message: `Cannot delete revision "${name}": endpoint "${user.endpoint}" still routes requests to it. Change its route first`,
    });
  }

  #makePool(folder: RevisionFolder, { bounds, autoscaling }: StoredRevision, progress: Progress): RevisionPool {
    const { entity, workers, name } = folder.revision;
    const { prepare, loadSeconds, logs, socketFolder } = this.#options;
    const output = logs.output(name);
    return new RevisionPool({ entity, workers, bounds, autoscaling }, () => {
      this.#launched += 1;
      const socketPath = join(socketFolder(), `${this.#launched}.sock`);
      return new LaunchedReplica(folder, { prepare, socketPath, loadSeconds, slots: this.#slots, output, progress });
    });
  }

  #folder(name: string): string {
    return join(this.#options.folder, name);
  }
}

function toStoredRevision({ revision, autoscaling }: PutRevisionRequest): StoredRevision {
  const { endpoint, entity, model, workers, timeLimitSeconds, bounds }: Revision = revision;
  return { endpoint, entity, model, workers, timeLimitSeconds, bounds, autoscaling };
}

function cancelled(name: string): ControlRefused {
  return new ControlRefused({
    code: 'failed',
    message: `Stopped "${name}" before it was ready: the update was cancelled`,
  });
}

async function rejectOnAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(new Error('Cancelled'));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    work.catch(() => undefined);
  }
}
