import type { Progress } from '../system/progress.ts';
import type { TimedRun } from './run-timed.ts';

/** One measurement on one side, with all its values. */
export interface Figure {
  /** The row: `validate, proof in the cache`. */
  readonly what: string;
  readonly unit: string;
  /** The column: `davit`, or the peer. */
  readonly side: string;
  readonly values: readonly number[];
}

export interface Benchmark {
  /** One line for `--list`. */
  readonly summary: string;
  /** Printed below the table: the targets, and what a peer's column is. */
  readonly note: string;
  readonly run: (bench: BenchContext) => Promise<readonly Figure[]>;
}

/** The context of a benchmark. */
export interface BenchContext {
  readonly progress: Progress;
  /** Aborts at Ctrl-C; every benchmark then cleans up. */
  readonly signal: AbortSignal;
  /** How long clients send requests; undefined: the benchmark decides. */
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

/** Wall and CPU seconds of runs of one command, as two figures. */
export function makeTimeFigures(what: string, side: string, runs: readonly TimedRun[]): readonly Figure[] {
  return [
    { what, unit: 'wall s', side, values: runs.map((r) => r.wallSeconds) },
    { what, unit: 'CPU s', side, values: runs.map((r) => r.cpuSeconds) },
  ];
}
