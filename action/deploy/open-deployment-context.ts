import { openProjectOnce, type EnvironmentRequest } from '../../app/project-request.ts';
import type { Environment } from '../../schemas/environment/environment.ts';
import { readEnvironment } from '../../schemas/read-project.ts';
import { parseBranchName, readBranchHead } from '../github/branch.ts';
import type { GitHub } from '../github/connect.ts';
import type { Job } from '../job.ts';
import { LOG } from '../log.ts';
import type { Deploying } from './deployment-context.ts';
import { makeReviewFinder } from './find-review.ts';
import { requireStateInput } from './require-state-input.ts';

export interface ContextOptions {
  readonly job: Job;
  readonly github: GitHub;
  /** The project's folder. */
  readonly root: string;
  /** The name of the environment. */
  readonly name: string;
  /** The name of the environment that comes before it. */
  readonly after?: string | undefined;
}

/** Everything of a context that does not need the environment's file. */
export function makeDeploymentScope({ job, github, root, name, after }: ContextOptions) {
  const { inputs, runner, signal } = job;
  const place = { root, endpoints: 'endpoints' };
  let head: Promise<string | undefined> | undefined;
  return {
    ...{ job, github, after },
    request: { place, environment: { name }, progress: LOG, signal },
    given: inputs.endpoints,
    findBranchHead: () => (head ??= readBranchHead(github, runner.ref)),
    findReview: makeReviewFinder(github, parseBranchName(runner.ref), { root, signal }),
  };
}

/**
 * Makes the context for one environment of the project at `root`. Throws when its file has errors, or when the workflow
 * does not say where the state is.
 */
export async function openDeploymentContext(options: ContextOptions): Promise<Deploying> {
  const scope = makeDeploymentScope(options);
  const environment = await requireEnvironment(scope.request, options.name);
  await requireStateInput(options.root);
  const request = { ...scope.request, environment };
  return { ...scope, request, open: openProjectOnce(request) };
}

async function requireEnvironment({ place }: Pick<EnvironmentRequest, 'place'>, name: string): Promise<Environment> {
  const { value, diagnostics } = await readEnvironment(place, name);
  if (value) return value;
  const why = diagnostics.map((d) => `${d.file}:${d.line}:${d.column} ${d.message}`).join('; ');
  throw new Error(`Cannot use environment "${name}": ${why}`);
}
