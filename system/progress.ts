/** Where long work says what it does. A line each, for a person; never a result, never a secret. */
export interface Progress {
  /** Says that something begins, goes on or is done: `Locking iris-1 …`. */
  readonly say: (line: string) => void;
}

/** Says nothing: for callers that nobody watches. */
export const SILENT: Progress = { say: () => undefined };

/** Says `what …` at once and `what: done in N s` (or `failed after`) at the end; returns what `work` returns. */
export async function timed<T>(progress: Progress, what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const seconds = () => ((performance.now() - started) / 1000).toFixed(1);
  progress.say(`${what} …`);
  try {
    const result = await work();
    progress.say(`${what}: done in ${seconds()} s`);
    return result;
  } catch (e) {
    progress.say(`${what}: failed after ${seconds()} s`);
    throw e;
  }
}

/** The same progress with a name before every line: `[iris] Locking …`. */
export function named(progress: Progress, name: string): Progress {
  return { say: (line) => progress.say(`[${name}] ${line}`) };
}
