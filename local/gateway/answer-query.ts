import { unavailable } from '../../serving-api/refusal.ts';
import { Refused } from '../../serving-api/refusal-error.ts';
import type { QueryResponse, Query } from '../revisions/replica.ts';
import type { RevisionPool } from '../revisions/revision-pool.ts';
import { NotStarted } from '../revisions/model-server-errors.ts';

/** The client of a query, which can disconnect before the response. */
export interface QueryClient {
  readonly gone: boolean;
  /** Callback for the disconnect. Set while the request waits for a unit. */
  onGone: (() => void) | undefined;
}

/** How long to retry a query that no worker has started. */
const RETRY_SECONDS = 60;

/**
 * Sends a query to a replica. Retries a request that no worker can have started, on any replica. Never resends a
 * request that a worker can have started. Returns undefined if the client disconnected. Throws a Refused.
 */
export async function answerQuery(
  pool: RevisionPool,
  query: Query,
  client: QueryClient,
): Promise<QueryResponse | undefined> {
  const patience = performance.now() + RETRY_SECONDS * 1000;
  for (;;) {
    const unit = await reserveUnit(pool, client);
    if (!unit) return undefined;
    let failed = true;
    try {
      const answer = await unit.replica.send(query);
      failed = false;
      return answer;
    } catch (e) {
      if (!(e instanceof NotStarted)) throw e;
      if (performance.now() > patience) throw new Refused(unavailable(pool.settings.entity, e.message), { cause: e });
    } finally {
      unit.release(failed); // a lost connection is the first sign of a killed server
    }
  }
}

async function reserveUnit(pool: RevisionPool, client: QueryClient) {
  const waiting = pool.take();
  const left = Promise.withResolvers<undefined>();
  client.onGone = () => {
    waiting.leave();
    left.resolve(undefined);
  };
  if (client.gone) client.onGone();
  const unit = await Promise.race([left.promise, waiting.place]);
  client.onGone = undefined;
  if (!unit) waiting.place.then((late) => late.release()).catch(() => undefined); // it arrived after the disconnect
  return unit;
}
