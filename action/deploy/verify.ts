import { askExamples } from '../../cli/ask-examples.ts';
import { messages } from '../../cli/print.ts';
import { openTarget } from '../../cli/targets.ts';
import type { Endpoint } from '../../schemas/endpoint.ts';
import type { Deploying } from './deploying.ts';

export interface Verified {
  readonly good: boolean;
  /** Also a model's words: nothing in them is believed. */
  readonly lines: readonly string[];
}

const BODY_CHARACTERS = 2000;

/**
 * Asks what was just deployed as a client would. That its revisions predict is known: they were not ready before. A runner
 * that the endpoint's address does not let in can say no more than that.
 */
export async function verify(endpoint: Endpoint, { context, environment }: Deploying): Promise<Verified> {
  const { root, progress } = context;
  let asked;
  try {
    const connection = await openTarget(root, environment).connect();
    asked = await askExamples(endpoint, { root, connection });
  } catch (e) {
    const why = messages(e).join('; because: ');
    progress.say(`${endpoint.name} could not be asked from here: ${why}`);
    return { good: true, lines: ['its revisions predict; the runner could not ask it'] };
  }
  const refused = asked.filter((a) => a.status !== 200);
  if (refused.length > 0) {
    const cause = refused.map((a) => `${a.entity} answers ${a.status}: ${a.body.slice(0, BODY_CHARACTERS)}`);
    return { good: false, lines: ['It serves, and refuses its own example', ...cause.flatMap((c) => c.split('\n'))] };
  }
  if (asked.length === 0) return { good: true, lines: ['its revisions predict'] };
  const times = asked.map((a) => `${a.entity} in ${a.milliseconds} ms`).join(', ');
  return { good: true, lines: [`answers its example: ${times}`] };
}
