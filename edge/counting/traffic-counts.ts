import { LATENCY_BUCKETS_MS, TrafficCounter, type TrafficCounts } from '../../serving-api/traffic-counter.ts';
import type { AnsweredQuery } from './access-log-server.ts';
import { readOwn } from '../../schemas/values/read-own.ts';

/** The counts of one endpoint by entity; '': queries that no model answered. */
export type CountsByEntity = Readonly<Record<string, TrafficCounts>>;

/** Requests the counts of the replica at an address. */
export type FetchPeerCounts = (address: string, endpoint: string) => Promise<CountsByEntity>;

/** The answered queries of all endpoints. Each replica receives some of the reports; together they have all. */
export class EndpointTraffic {
  readonly #traffic = new Map<string, Map<string, TrafficCounter>>();
  readonly #others: () => readonly string[];
  readonly #fetchCounts: FetchPeerCounts;

  constructor(others: () => readonly string[] = () => [], fetchCounts: FetchPeerCounts = () => Promise.resolve({})) {
    this.#others = others;
    this.#fetchCounts = fetchCounts;
  }

  note({ endpoint, entity, status, milliseconds }: AnsweredQuery): void {
    const entities = this.#traffic.get(endpoint) ?? new Map<string, TrafficCounter>();
    this.#traffic.set(endpoint, entities);
    const traffic = entities.get(entity) ?? new TrafficCounter();
    entities.set(entity, traffic);
    traffic.count(status, milliseconds, performance.now());
  }

  /** The counts of this replica. */
  own(endpoint: string): CountsByEntity {
    const entities = this.#traffic.get(endpoint) ?? [];
    return Object.fromEntries([...entities].map(([entity, traffic]) => [entity, traffic.read(performance.now())]));
  }

  /** The counts of all replicas; one that does not answer is left out. */
  async read(endpoint: string): Promise<CountsByEntity> {
    const others = this.#others().map((address) =>
      this.#fetchCounts(address, endpoint).catch((): CountsByEntity => ({})),
    );
    const all = [this.own(endpoint), ...(await Promise.all(others))];
    const names = new Set(all.flatMap((counts) => Object.keys(counts)));
    return Object.fromEntries(
      [...names].map((name) => [name, all.flatMap((c) => readOwn(c, name) ?? []).reduce(add, NO_TRAFFIC)]),
    );
  }
}

export const NO_TRAFFIC: TrafficCounts = {
  lastMinute: { all: 0, client: 0, server: 0 },
  latency: { buckets: Array<number>(LATENCY_BUCKETS_MS.length + 1).fill(0), sum: 0, total: 0 },
};

function add(a: TrafficCounts, b: TrafficCounts): TrafficCounts {
  return {
    lastMinute: {
      all: a.lastMinute.all + b.lastMinute.all,
      client: a.lastMinute.client + b.lastMinute.client,
      server: a.lastMinute.server + b.lastMinute.server,
    },
    latency: {
      buckets: a.latency.buckets.map((n, i) => n + (b.latency.buckets[i] ?? 0)),
      sum: a.latency.sum + b.latency.sum,
      total: a.latency.total + b.latency.total,
    },
  };
}
