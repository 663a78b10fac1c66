import { queueFull, unavailable } from '../../serving-api/refusal.ts';
import { Refused } from '../../serving-api/refusal-error.ts';
import type { Bounds } from '../../schemas/deployment/revision.ts';
import { decideReplicas, minReplicas } from './autoscaler.ts';
import type { Autoscaling, ReplicaStatus } from '../control/control-protocol.ts';
import type { Replica } from './replica.ts';
import { ReplicaSet, type ReplicaMember } from './replica-set.ts';
import { RequestQueue, type PendingSlot } from './request-queue.ts';
import type { ServerFailed } from './model-server-errors.ts';

export interface PoolSettings {
  /** For messages. */
  readonly entity: string;
  /** Units of concurrency in one replica. */
  readonly workers: number;
  readonly bounds: Bounds;
  readonly autoscaling: Autoscaling;
}

/** A unit of a replica, reserved for one request. */
export interface ReservedUnit {
  readonly replica: Replica;
  /** Releases the unit. `failed`: the replica did not respond, so it receives no requests for a moment. */
  release(failed?: boolean): void;
}

const QUEUE_PER_UNIT = 16;
const SMALLEST_QUEUE = 64;
/** Maximum wait for a unit: while a replica is ready, and while the first replica starts. */
const WAIT_SECONDS = 60;
const COLD_START_SECONDS = 300;
const PAUSE_MILLISECONDS = 100;

/** The replicas of one revision, and the queue of requests for them. */
export class RevisionPool {
  readonly #replicas: ReplicaSet;
  readonly #queue = new RequestQueue<ReservedUnit>();
  #settings: PoolSettings;
  #inFlight = 0;
  #lastBusy = performance.now();
  #lowSince: number | undefined;
  #draining = false;
  #proving = false;
  #quiet: (() => void) | undefined;

  constructor(settings: PoolSettings, launch: () => Replica) {
    this.#settings = settings;
    this.#replicas = new ReplicaSet(launch, () => this.#replicasChanged());
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get queued(): number {
    return this.#queue.length;
  }

  get ready(): number {
    return this.#replicas.ready;
  }

  get wanted(): number {
    return this.#replicas.wanted;
  }

  get draining(): boolean {
    return this.#draining;
  }

  get failure(): ServerFailed | undefined {
    return this.#replicas.failure;
  }

  get members(): readonly ReplicaStatus[] {
    return [...this.#replicas.members].map(({ replica, state, inFlight }) => {
      const { pid, loading } = replica;
      return { pid, state, inFlight, loading };
    });
  }

  get settings(): PoolSettings {
    return this.#settings;
  }

  /** Starts the minimum number of replicas, at least one. Resolves when all of them are ready. */
  async prove(): Promise<void> {
    const { bounds, workers } = this.#settings;
    this.#proving = true; // a long model load must not count as idle time
    try {
      await this.#replicas.prove(Math.max(1, minReplicas(bounds, workers)));
    } finally {
      this.#proving = false;
      this.#lastBusy = performance.now();
    }
  }

  /** Starts the minimum number of replicas, which can be zero, of a revision that is already proven. */
  resume(): void {
    this.scale();
  }

  change(settings: Pick<PoolSettings, 'bounds' | 'autoscaling'>): void {
    this.#settings = { ...this.#settings, ...settings };
    this.scale();
  }

  /** Waits for a unit. Throws a Refused if waiting is pointless. The returned place can reject with a Refused later. */
  take(): PendingSlot<ReservedUnit> {
    this.#lastBusy = performance.now();
    const member = this.#queue.length === 0 ? this.#freest() : undefined;
    if (member) return { place: Promise.resolve(this.#occupy(member)), leave: () => undefined };
    this.#refuseHopeless();
    const waiting = this.#queue.wait(performance.now());
    this.scale();
    return waiting;
  }

  /**
   * Accepts no more requests, finishes the existing ones, then stops every replica. The limit is that of a request which
   * its replica predicts at once; it is extended by the longest wait in one.
   */
  async drain(limitSeconds: number): Promise<void> {
    this.#draining = true;
    const waits = [...this.#replicas.members].map(({ replica }) => replica.longestWaitSeconds);
    const longestSeconds = limitSeconds + Math.max(0, ...waits);
    if (this.#inFlight + this.#queue.length > 0) await this.#becomeQuiet(longestSeconds * 1000);
    await this.close();
  }

  /** Stops every replica immediately. */
  async close(): Promise<void> {
    this.#draining = true;
    this.#queue.refuse(this.#unavailable('it is being removed'));
    await this.#replicas.close();
  }

  /** Must be called every second. Scales, and refuses requests that have waited too long. */
  tick(): void {
    const seconds = this.#replicas.ready > 0 ? WAIT_SECONDS : COLD_START_SECONDS;
    const why = `no unit of concurrency became free within ${seconds} s`;
    if (this.#queue.length > 0) this.#queue.refuse(this.#unavailable(why), performance.now() - seconds * 1000);
    if (!this.#draining) this.#replicas.replaceUnreachable();
    this.#dispatch();
    this.scale();
  }

  scale(): void {
    if (this.#proving || (this.#draining && this.#queue.length === 0)) return;
    const { workers, bounds, autoscaling } = this.#settings;
    const decision = decideReplicas({
      now: performance.now(),
      load: this.#inFlight + this.#queue.length,
      wanted: this.#replicas.wanted,
      workers,
      bounds,
      autoscaling,
      lastBusy: this.#lastBusy,
      lowSince: this.#lowSince,
    });
    this.#lowSince = decision.lowSince;
    if (decision.wanted !== this.#replicas.wanted) this.#replicas.want(decision.wanted);
  }

  #refuseHopeless(): void {
    const { entity, bounds } = this.#settings;
    const { failure } = this.#replicas;
    if (this.#draining) throw this.#unavailable('it is being removed');
    // A failed revision that scaled to zero has no pending retry, so a request retries it after its delay.
    const resting = performance.now() < this.#replicas.retryAt || this.#replicas.starting > 0;
    if (failure && resting) throw this.#unavailable(failure.message);
    if (this.#queue.length >= Math.max(SMALLEST_QUEUE, QUEUE_PER_UNIT * bounds.max))
      throw new Refused(queueFull(entity));
  }

  #freest(): ReplicaMember | undefined {
    const { workers, bounds } = this.#settings;
    if (this.#inFlight >= Math.max(bounds.max, workers)) return undefined;
    let best: ReplicaMember | undefined;
    for (const member of this.#replicas.members) {
      if (member.state !== 'ready' || member.inFlight >= workers) continue;
      if (member.pausedUntil > 0 && member.pausedUntil > performance.now()) continue;
      if (!best || member.inFlight < best.inFlight) best = member;
    }
    return best;
  }

  #occupy(member: ReplicaMember): ReservedUnit {
    member.inFlight += 1;
    this.#inFlight += 1;
    let held = true;
    return {
      replica: member.replica,
      release: (failed = false) => {
        if (!held) return;
        held = false;
        this.#release(member, failed);
      },
    };
  }

  #release(member: ReplicaMember, failed: boolean): void {
    member.inFlight -= 1;
    this.#inFlight -= 1;
    this.#lastBusy = performance.now();
    if (failed) {
      member.pausedUntil = performance.now() + PAUSE_MILLISECONDS;
      setTimeout(() => this.#dispatch(), PAUSE_MILLISECONDS + 1);
    }
    this.#replicas.released(member);
    this.#dispatch();
    if (this.#inFlight + this.#queue.length === 0) this.#quiet?.();
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const member = this.#freest();
      if (!member) return;
      this.#queue.give(this.#occupy(member));
    }
  }

  #replicasChanged(): void {
    const { failure } = this.#replicas;
    if (failure) this.#queue.refuse(this.#unavailable(failure.message));
    this.#dispatch();
  }

  #becomeQuiet(limitMilliseconds: number): Promise<void> {
    return new Promise((done) => {
      const limit = setTimeout(done, limitMilliseconds);
      this.#quiet = () => {
        clearTimeout(limit);
        done();
      };
    });
  }

  #unavailable(why: string): Refused {
    return new Refused(unavailable(this.#settings.entity, why));
  }
}
