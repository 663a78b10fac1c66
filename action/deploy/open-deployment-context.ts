import { openProjectOnce } from '../../app/project.ts';
import { readEnvironment } from '../../schemas/read-project.ts';
import type { GitHub } from '../github/connect.ts';
import type { Job } from '../job.ts';
import { LOG } from '../log.ts';
import type { Deploying } from './deployment-context.ts';
import { makeReviewFinder } from './find-review.ts';

/** Makes the context for one environment of the project at `root`. Throws when its file has errors. */
export async function openDeploymentContext(job: Job, github: GitHub, root: string, name: string): Promise<Deploying> {
  const { inputs, runner, signal } = job;
  const place = { root, endpoints: 'endpoints' };
  const { value: environment, diagnostics } = await readEnvironment(place, name);
  if (!environment) {
    const why = diagnostics.map((d) => `${d.file}:${d.line}:${d.column} ${d.message}`).join('; ');
    throw new Error(`Cannot use environment "${name}": ${why}`);
  }
  const request = { place, environment, progress: LOG, signal };
  const branch = runner.ref.replace(/^refs\/heads\//, '');
  return {
    ...{ job, github, request },
    given: inputs.endpoints,
    open: openProjectOnce(request),
    findReview: makeReviewFinder(github, branch),
  };
}
