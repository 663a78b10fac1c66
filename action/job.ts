import type { Inputs } from './inputs.ts';
import type { Runner } from './runner.ts';

/** What a command of the action gets. */
export interface Job {
  readonly inputs: Inputs;
  readonly runner: Runner;
  /** Aborts when the run is cancelled. */
  readonly signal: AbortSignal;
}
