/** State of the deployment of one endpoint in one environment. */
export type RolloutState =
  'waiting' | 'deploying' | 'live' | 'removed' | 'kept' | 'superseded' | 'stopped' | 'cancelled' | 'failed';

/** The deployment of one endpoint of a merged pull request in one environment. */
export interface Rollout {
  readonly endpoint: string;
  readonly environment: string;
  /**
   * `stopped`: nothing was changed, because the plan differs from the reviewed plan or the run could not begin.
   * `failed`: what serves keeps serving, unless it was to be removed (`isRemoval`). `kept`: the endpoint file is gone, but nobody allowed Davit to remove
   * the endpoint. `superseded`: nothing was changed, because a newer commit decides. `waiting`: nothing was changed yet,
   * because another environment comes first.
   */
  readonly state: RolloutState;
  /** Whether the endpoint was to be removed. Undefined: it was to be deployed, or nothing was begun. */
  readonly isRemoval?: boolean;
  /** Reasons for the state, or actions taken, one per line. The first line must be enough alone. */
  readonly causes: readonly string[];
  /** URL for queries. */
  readonly url: string | undefined;
  /** URL of the workflow run. */
  readonly runUrl: string | undefined;
}
