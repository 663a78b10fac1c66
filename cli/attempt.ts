import type { Context } from './command.ts';
import { messages } from './print.ts';

/** An outage of one endpoint is a line of the report: the others go on. Only an interruption is thrown. */
export async function attempt<T>({ signal }: Pick<Context, 'signal'>, work: () => Promise<T>) {
  try {
    return { value: await work(), outage: null };
  } catch (e) {
    signal.throwIfAborted();
    return { value: undefined, outage: messages(e).join('; because: ') };
  }
}
