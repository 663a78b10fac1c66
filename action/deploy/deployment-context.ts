import type { EnvironmentRequest } from '../../app/project-request.ts';
import type { PulumiProject } from '../../engine/pulumi-project.ts';
import type { GitHub } from '../github/connect.ts';
import type { PullRequest } from '../github/pull-request.ts';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { Rollout, RolloutState } from '../../schemas/deployment/rollout.ts';
import type { Job } from '../job.ts';

/** What the selection of endpoints needs. The environment's file may have errors. */
export interface DeploymentScope extends Pick<Deploying, 'github' | 'given' | 'after' | 'findBranchHead'> {
  readonly request: Pick<EnvironmentRequest, 'place' | 'signal' | 'progress'> & {
    readonly environment: { readonly name: string };
  };
  readonly job: Pick<Job, 'runner'>;
}

/** The context of every step of a deployment to one environment. */
export interface Deploying {
  readonly job: Job;
  readonly github: GitHub;
  /** The project and the environment. */
  readonly request: EnvironmentRequest;
  /** The names of endpoints that the workflow gives; none: all of them. */
  readonly given: readonly string[];
  /** Opens the engine, once for all endpoints. */
  readonly open: () => Promise<PulumiProject>;
  /** The name of the environment in which an endpoint has to be live first. */
  readonly after: string | undefined;
  /** The head of the run's branch at GitHub, read once; undefined: there is no such branch. */
  readonly findBranchHead: () => Promise<string | undefined>;
  /** The review of the change that a commit brought to the branch. */
  readonly findReview: (commit: string | undefined) => Promise<Review>;
}

/** The review of a change before its merge. */
export interface Review {
  /** Undefined: the commit was pushed without a pull request. */
  readonly pull: PullRequest | undefined;
  /** The text of the check run at the pull request's head; undefined: it has none. */
  readonly text: string | undefined;
}

/** The result for one endpoint, and its pull request. */
export interface DeploymentResult extends Rollout {
  readonly diagnostics: readonly Diagnostic[];
  readonly pull: PullRequest | undefined;
  /** Pull requests merged before that one, whose changes of the endpoint were not deployed until now. */
  readonly earlier?: readonly PullRequest[];
}

/** The result of work on an endpoint. */
export type DeploymentOutcome = Pick<DeploymentResult, 'state' | 'isRemoval' | 'causes' | 'url' | 'diagnostics'>;

const FAILED_STATES: readonly RolloutState[] = ['failed', 'stopped', 'cancelled'];

/** Whether a person has to act. */
export function needsAttention({ state }: Pick<Rollout, 'state'>): boolean {
  return FAILED_STATES.includes(state);
}
