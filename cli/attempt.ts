import type { Context } from './command.ts';
import { messages } from './print.ts';

/** Returns an outage of one endpoint for the report, so that the others continue. Only an interruption is thrown. */
export async function attempt<T>({ signal }: Pick<Context, 'signal'>, work: () => Promise<T>) {
  try {
    return { value: await work(), outage: null };
  } catch (e) {
    signal.throwIfAborted();
    return { value: undefined, outage: messages(e).join('; because: ') };
  }
}
