import { explainSystemError } from './explain-system-error.ts';

/** Returns an outage of one endpoint for the report, so that the others continue. Only an interruption is thrown. */
export async function catchOutage<T>(signal: AbortSignal, work: () => Promise<T>) {
  try {
    return { value: await work(), outage: null };
  } catch (e) {
    signal.throwIfAborted();
    return { value: undefined, outage: renderCauses(e) };
  }
}

/** An error and its causes as one line. */
export function renderCauses(error: unknown): string {
  return listMessages(error).join('; because: ');
}

/** The messages of an error and of its causes, outermost first, without repeats. */
export function listMessages(error: unknown): readonly string[] {
  const found: string[] = [];
  for (let e = error; e !== undefined && e !== null; e = e instanceof Error ? e.cause : undefined) {
    const message =
      e instanceof Error ? (explainSystemError(e) ?? e.message) : typeof e === 'string' ? e : JSON.stringify(e);
    if (!found.some((f) => f.includes(message))) found.push(message);
  }
  return found;
}
