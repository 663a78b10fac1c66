/** Receives the progress lines of long work. A line never contains a result or a secret. */
export interface Progress {
  /** Reports a start, a step or an end: `Locking iris-1 …`. */
  readonly say: (line: string) => void;
}

/** Discards all progress. */
export const SILENT: Progress = { say: () => undefined };

/** Reports `what …`, runs `work`, then reports `what: done in N s` or `what: failed after N s`. */
export async function withProgress<T>(progress: Progress, what: string, work: () => Promise<T>): Promise<T> {
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

/** Returns a progress that prefixes each line with a name: `[iris] Locking …`. */
export function named(progress: Progress, name: string): Progress {
  return { say: (line) => progress.say(`[${name}] ${line}`) };
}
