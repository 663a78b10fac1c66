import { unavailable } from '../gateway/refusal.ts';
import { Refused } from '../gateway/refused.ts';
import type { Answer, Query } from './replica.ts';
import type { RevisionPool } from './revision-pool.ts';
import { NotStarted } from './server-failed.ts';

/** Who has asked and may leave before the answer. */
export interface Asker {
  readonly gone: boolean;
  /** Set while the request waits for a unit. */
  onGone: (() => void) | undefined;
}

/** A replica that refuses is asked again, or another one, for so long. */
const PATIENCE_SECONDS = 60;

/**
 * Answers a query by some replica. A request that no worker can have begun goes to another replica or waits; one that
 * may have begun is never sent again. Undefined: the asker has left. Throws a Refused.
 */
export async function answerQuery(pool: RevisionPool, query: Query, asker: Asker): Promise<Answer | undefined> {
  const patience = Date.now() + PATIENCE_SECONDS * 1000;
  for (;;) {
    const unit = await takeUnit(pool, asker);
    if (!unit) return undefined;
    let failed = true;
    try {
      const answer = await unit.replica.send(query);
      failed = false;
      return answer;
    } catch (e) {
      if (!(e instanceof NotStarted)) throw e;
      if (Date.now() > patience) throw new Refused(unavailable(pool.settings.entity, e.message), { cause: e });
    } finally {
      unit.release(failed); // a lost connection is the first sign of a server that was killed
    }
  }
}

async function takeUnit(pool: RevisionPool, asker: Asker) {
  const waiting = pool.take();
  const left = Promise.withResolvers<undefined>();
  asker.onGone = () => {
    waiting.leave();
    left.resolve(undefined);
  };
  if (asker.gone) asker.onGone();
  const unit = await Promise.race([left.promise, waiting.place]);
  asker.onGone = undefined;
  if (!unit) waiting.place.then((late) => late.release()).catch(() => undefined); // it came just as the asker left
  return unit;
}
