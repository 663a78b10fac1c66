/** How far the deployment of one endpoint in one environment is. */
export type RolloutState = 'waiting' | 'deploying' | 'live' | 'removed' | 'kept' | 'stopped' | 'cancelled' | 'failed';

/** One line of what became of a merged pull request. */
export interface Rollout {
  readonly endpoint: string;
  readonly environment: string;
  /** `stopped`: before anything was changed, because the plan is not the reviewed one; `failed`: what served before serves on;
   *  `kept`: its file is gone, and nobody has said that it may go. */
  readonly state: RolloutState;
  /** Why it is so, or what was done: a line each, the first one is enough. */
  readonly causes: readonly string[];
  /** Where queries go. */
  readonly url: string | undefined;
  /** The page of the run. */
  readonly runUrl: string | undefined;
}
