import type { Inputs } from './inputs.ts';
import type { Runner } from './runner.ts';

/** The context of a command of the action. */
export interface Job {
  readonly inputs: Inputs;
  readonly runner: Runner;
  /** Aborts when the run is cancelled. */
  readonly signal: AbortSignal;
}
