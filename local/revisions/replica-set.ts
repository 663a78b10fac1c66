import { FAILURES_UNTIL_FAILED, HEALTHY_SECONDS, computeRestartDelay } from './backoff.ts';
import type { ReplicaStatus } from '../control/control-protocol.ts';
import type { Replica } from './replica.ts';
import { ServerFailed } from './model-server-errors.ts';
import { readErrorMessage } from '../../schemas/values/read-error-message.ts';

/** A replica and its load. Times are in milliseconds, of a clock that is never set. */
export interface ReplicaMember {
  readonly replica: Replica;
  state: ReplicaStatus['state'];
  inFlight: number;
  readySince: number;
  /** The replica failed a request and receives no requests until this time. */
  pausedUntil: number;
}

/** Keeps the target number of replicas: starts them, replaces those that end, and retires the surplus. */
export class ReplicaSet {
  readonly #launch: () => Replica;
  readonly #changed: () => void;
  readonly #members = new Set<ReplicaMember>();
  #wanted = 0;
  #failures = 0;
  #lastFailure: ServerFailed | undefined;
  #retryAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #proof: { readonly count: number; readonly done: () => void; readonly fail: (e: Error) => void } | undefined;
  #closed = false;

  /** `changed` is called when a replica becomes ready, fails or ends. */
  constructor(launch: () => Replica, changed: () => void) {
    this.#launch = launch;
    this.#changed = changed;
  }

  get members(): ReadonlySet<ReplicaMember> {
    return this.#members;
  }

  get wanted(): number {
    return this.#wanted;
  }

  get ready(): number {
    return this.#count('ready');
  }

  get starting(): number {
    return this.#count('starting');
  }

  /** The last failure, after repeated failures, if no replica is ready. Retries continue with delays. */
  get failure(): ServerFailed | undefined {
    return this.#failures >= FAILURES_UNTIL_FAILED && this.ready === 0 ? this.#lastFailure : undefined;
  }

  /** Time of the next retry, as of `performance.now()`. */
  get retryAt(): number {
    return this.#retryAt;
  }

  want(count: number): void {
    this.#wanted = count;
    this.#reconcile();
  }

  /** Starts `count` replicas and resolves when all are ready. The first failure rejects, without a retry. */
  prove(count: number): Promise<void> {
    return new Promise((done, fail) => {
      this.#proof = { count, done, fail };
      this.want(count);
    });
  }

  /** Stops all replicas immediately. Resolves when all their processes have ended. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#proof?.fail(new Error('Stopped before it was ready'));
    await Promise.all([...this.#members].map((member) => this.#stop(member)));
  }

  /** Drains replicas whose sockets were removed, and starts replacements. */
  replaceUnreachable(): void {
    if (this.#closed) return;
    for (const member of this.#members) if (member.state === 'ready' && !member.replica.reachable) this.#retire(member);
    this.#reconcile();
  }

  /** Must be called when a request ends, so that a retiring replica can stop. */
  released(member: ReplicaMember): void {
    if (member.state === 'stopping' && member.inFlight === 0) void member.replica.stop();
  }

  #reconcile(): void {
    if (this.#closed) return;
    const surplus = this.#members.size - this.#count('stopping') - this.#wanted;
    if (surplus > 0) for (const member of this.#leastUseful(surplus)) this.#retire(member);
    if (surplus >= 0) return;
    const wait = this.#retryAt - performance.now();
    if (wait > 0) this.#retryLater(wait);
    else for (let n = 0; n < (this.#failures > 0 ? 1 : -surplus); n++) this.#start();
  }

  #retryLater(milliseconds: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#reconcile();
    }, milliseconds);
  }

  #start(): void {
    const replica = this.#launch();
    const member: ReplicaMember = { replica, state: 'starting', inFlight: 0, readySince: Infinity, pausedUntil: 0 };
    this.#members.add(member);
    replica.ready.then(
      () => this.#becameReady(member),
      (e: unknown) => this.#failed(member, toServerError(e)),
    );
    void replica.ended.then((how) => this.#ended(member, how));
  }

  #becameReady(member: ReplicaMember): void {
    if (member.state !== 'starting') return;
    member.state = 'ready';
    member.readySince = performance.now();
    this.#reconcile();
    if (this.#proof && this.ready >= this.#proof.count) {
      this.#proof.done();
      this.#proof = undefined;
    }
    this.#changed();
  }

  #failed(member: ReplicaMember, failure: ServerFailed): void {
    if (member.state === 'stopping') return;
    void this.#stop(member);
    this.#note(failure);
  }

  #ended(member: ReplicaMember, how: string): void {
    this.#members.delete(member);
    if (member.state === 'ready') {
      if (performance.now() - member.readySince > HEALTHY_SECONDS * 1000) this.#failures = 0;
      this.#note(new ServerFailed('serve', `The model server ended while it served: ${how}`));
    } else this.#changed();
  }

  #note(failure: ServerFailed): void {
    this.#failures += 1;
    this.#lastFailure = failure;
    this.#retryAt = performance.now() + computeRestartDelay(this.#failures) * 1000;
    if (this.#proof) {
      this.#proof.fail(failure);
      this.#proof = undefined;
      this.#closed = true; // the caller of prove closes the rest
    } else this.#reconcile();
    this.#changed();
  }

  #retire(member: ReplicaMember): void {
    member.state = 'stopping';
    if (member.inFlight === 0) void member.replica.stop();
  }

  async #stop(member: ReplicaMember): Promise<void> {
    member.state = 'stopping';
    await member.replica.stop();
  }

  #leastUseful(count: number): readonly ReplicaMember[] {
    const staying = [...this.#members].filter((m) => m.state !== 'stopping');
    const use = (m: ReplicaMember) => (m.state === 'starting' ? -1 : m.inFlight);
    return staying.sort((a, b) => use(a) - use(b)).slice(0, count);
  }

  #count(state: ReplicaMember['state']): number {
    let count = 0;
    for (const member of this.#members) if (member.state === state) count += 1;
    return count;
  }
}

function toServerError(e: unknown): ServerFailed {
  if (e instanceof ServerFailed) return e;
  return new ServerFailed('start', readErrorMessage(e));
}
