import type { Context } from '../../cli/command.ts';
import type { PulumiProject } from '../../engine/project.ts';
import type { Environment } from '../../schemas/environment.ts';
import type { GitHub } from '../github/connect.ts';
import type { PullRequest } from '../github/pull-request.ts';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { Rollout, RolloutState } from '../../schemas/rollout.ts';
import type { Job } from '../job.ts';

/** What every step of a deployment to one environment needs. */
export interface Deploying {
  readonly job: Job;
  readonly github: GitHub;
  readonly environment: Environment;
  /** Of the command line's verbs; its options name the environment. */
  readonly context: Context;
  /** Opens the engine, once for all. */
  readonly open: () => Promise<PulumiProject>;
  /** What was reviewed of the change that a commit of the branch is. */
  readonly findReview: (commit: string | undefined) => Promise<Review>;
}

/** What people have seen of a change before its merge. */
export interface Review {
  /** Undefined: the commit was pushed without a pull request. */
  readonly pull: PullRequest | undefined;
  /** The text of the check run at the pull request's head; undefined: there is none. */
  readonly text: string | undefined;
}

/** What became of one endpoint, and of which pull request it is. */
export interface Deployed extends Rollout {
  readonly diagnostics: readonly Diagnostic[];
  readonly pull: PullRequest | undefined;
}

/** How work on an endpoint ended. */
export type Ended = Pick<Deployed, 'state' | 'causes' | 'url' | 'diagnostics'>;

const BAD: readonly RolloutState[] = ['failed', 'stopped', 'cancelled'];

/** Whether somebody has to do something. */
export function isBad({ state }: Pick<Rollout, 'state'>): boolean {
  return BAD.includes(state);
}
