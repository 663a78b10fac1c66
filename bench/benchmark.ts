import type { Progress } from '../system/progress.ts';
import type { TimedRun } from './run-timed.ts';

/** All values of one measurement of Davit or of the peer. */
export interface Figure {
  /** The name of the row: `validate, proof in the cache`. */
  readonly what: string;
  readonly unit: string;
  /** The name of the column: `davit` or the peer. */
  readonly side: string;
  readonly values: readonly number[];
}

export interface Benchmark {
  /** The description in `--list`, one line. */
  readonly summary: string;
  /** Text below the table: the targets, and an explanation of the peer's column. */
  readonly note: string;
  readonly run: (bench: BenchContext) => Promise<readonly Figure[]>;
}

/** The context of a benchmark. */
export interface BenchContext {
  readonly progress: Progress;
  /** Aborts at Ctrl-C. Every benchmark then cleans up. */
  readonly signal: AbortSignal;
  /** The time during which clients send requests. Undefined: the benchmark's own default. */
  readonly seconds: number | undefined;
  /** Records something that must not happen on any machine, however slow, such as a failed request. */
  readonly fault: (sentence: string) => void;
}

/** Runs the same work several times, one after the other. */
export async function repeatWork<T>(
  { progress, signal }: BenchContext,
  { what, times }: { readonly what: string; readonly times: number },
  once: (round: number) => Promise<T>,
): Promise<readonly T[]> {
  const results: T[] = [];
  for (let round = 0; round < times; round++) {
    signal.throwIfAborted();
    progress.say(`${what}, ${round + 1} of ${times} …`);
    results.push(await once(round));
  }
  return results;
}

/** Makes two figures of the runs of one command: wall seconds and CPU seconds. */
export function makeTimeFigures(what: string, side: string, runs: readonly TimedRun[]): readonly Figure[] {
  return [
    { what, unit: 'wall s', side, values: runs.map((r) => r.wallSeconds) },
    { what, unit: 'CPU s', side, values: runs.map((r) => r.cpuSeconds) },
  ];
}
