import { queryExamples } from '../../app/targets/query-examples.ts';
import { renderCauses } from '../../app/catch-outage.ts';
import { openTarget } from '../../app/targets/open-target.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import { readLock } from '../../schemas/read-project.ts';
import type { Deploying } from './deployment-context.ts';

export interface VerificationResult {
  readonly good: boolean;
  /** May contain the model's own words, so nothing in them is trusted. */
  readonly lines: readonly string[];
}

const BODY_CHARACTERS = 2000;

/**
 * Queries the deployed endpoint as a client would. Its revisions have already predicted, because they are not ready
 * before. A runner that cannot reach the endpoint's address can verify no more than that.
 */
export async function verifyEndpoint(endpoint: Endpoint, { request }: Deploying): Promise<VerificationResult> {
  const { place, environment, progress, signal } = request;
  const { root } = place;
  let answers;
  try {
    const connection = await openTarget(root, environment, signal).connect();
    const { value: lock } = await readLock(place, endpoint.name);
    answers = await queryExamples(endpoint, { root, lock, connection, signal });
  } catch (e) {
    signal.throwIfAborted();
    const why = renderCauses(e);
    progress.say(`Cannot query ${endpoint.name} from this runner: ${why}`);
    return { good: true, lines: ['its revisions predict; the runner cannot reach the endpoint'] };
  }
  const refused = answers.filter((a) => a.status !== 200);
  if (refused.length > 0) {
    const cause = refused.map((a) => `${a.entity} returned ${a.status}: ${a.body.slice(0, BODY_CHARACTERS)}`);
    return { good: false, lines: ['It serves, but rejects its own example', ...cause.flatMap((c) => c.split('\n'))] };
  }
  if (answers.length === 0) return { good: true, lines: ['its revisions predict'] };
  const times = answers.map((a) => `${a.entity} in ${a.milliseconds} ms`).join(', ');
  return { good: true, lines: [`answers its example: ${times}`] };
}
