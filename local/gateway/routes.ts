import type { RateLimit } from '../../schemas/deployment/serving-entry.ts';
import type { PutRouteRequest } from '../control/control-protocol.ts';
import { ControlRefused } from '../control/control-errors.ts';
import { type DurableState, omitKey } from '../supervisor/durable-state.ts';
import type { TrackedRevision } from '../supervisor/fleet.ts';
import type { RevisionPool } from '../revisions/revision-pool.ts';
import { readOwn } from '../../schemas/values/read-own.ts';

/** An entity of a served endpoint, with its revision pool. */
export interface Target {
  readonly name: string;
  readonly trafficPercentage: number;
  readonly pool: RevisionPool;
}

/** The routes of all endpoints. A route switches in one assignment, after it is on disk. */
export class Routes {
  readonly #state: DurableState;
  readonly #known: ReadonlyMap<string, TrackedRevision>;
  /** Cached targets of each stored route. */
  readonly #targets = new WeakMap<object, readonly Target[]>();

  constructor(state: DurableState, known: ReadonlyMap<string, TrackedRevision>) {
    this.#state = state;
    this.#known = known;
  }

  /** Returns the targets of an endpoint. Undefined: the endpoint does not exist. */
  find(endpoint: string): readonly Target[] | undefined {
    const route = readOwn(this.#state.now.endpoints, endpoint);
    if (!route) return undefined;
    const made = this.#targets.get(route);
    if (made) return made;
    const targets = route.entities.flatMap(({ name, revision, trafficPercentage }) => {
      const pool = this.#known.get(revision)?.pool;
      return pool ? [{ name, trafficPercentage, pool }] : [];
    });
    if (targets.length === route.entities.length) this.#targets.set(route, targets);
    return targets;
  }

  /** Returns the rate limits of an endpoint. */
  rateLimits(endpoint: string): readonly RateLimit[] {
    return readOwn(this.#state.now.endpoints, endpoint)?.rateLimits ?? [];
  }

  /** Refuses a route to an unproven revision, and shares that do not add up to 100. */
  check({ endpoint, entities }: PutRouteRequest): void {
    for (const entity of entities) this.#requireProven(endpoint, entity);
    const total = entities.reduce((sum, e) => sum + e.trafficPercentage, 0);
    if (total !== 100) {
      const message = `Cannot route "${endpoint}": its shares add up to ${total}, expected 100`;
      throw new ControlRefused({ code: 'bad-request', message });
    }
  }

  /** Switches the route of an endpoint atomically. */
  async put(route: PutRouteRequest): Promise<void> {
    const { endpoint, description, tags, entities, rateLimits = [] } = route;
    this.check(route);
    await this.#state.change((s) => {
      const before = readOwn(s.endpoints, endpoint);
      const updated = Date.now();
      const [created, configVersion] = [before?.created ?? updated, (before?.configVersion ?? 0) + 1];
      const stored = { endpoint, description, tags, entities, rateLimits, created, updated, configVersion };
      return { ...s, endpoints: { ...s.endpoints, [endpoint]: stored } };
    });
  }

  /** Deletes an endpoint's route. Requests in flight still finish. */
  async delete(endpoint: string): Promise<void> {
    if (!readOwn(this.#state.now.endpoints, endpoint)) return;
    await this.#state.change((s) => ({ ...s, endpoints: omitKey(s.endpoints, endpoint) }));
  }

  #requireProven(endpoint: string, entity: PutRouteRequest['entities'][number]): void {
    const known = this.#known.get(entity.revision);
    if (known?.phase === 'proven' && known.stored.endpoint === endpoint && known.stored.entity === entity.name) return;
    const found = !known
      ? 'there is none'
      : known.phase === 'proven'
        ? `it serves "${known.stored.entity}" of "${known.stored.endpoint}"`
        : `it is ${known.phase}`;
    throw new ControlRefused({
      code: 'not-ready',
      message: `Cannot route "${endpoint}" to revision "${entity.revision}": ${found}, expected a proven revision of "${entity.name}"`,
    });
  }
}
