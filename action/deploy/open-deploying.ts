import type { Context } from '../../cli/command.ts';
import { openFor } from '../../cli/open-for.ts';
import type { PulumiProject } from '../../engine/project.ts';
import { readEnvironment } from '../../schemas/read-declared.ts';
import { projectPlace } from '../../cli/select-endpoints.ts';
import type { GitHub } from '../github/connect.ts';
import type { Job } from '../job.ts';
import { LOG } from '../log.ts';
import type { Deploying } from './deploying.ts';
import { makeFindReview } from './find-review.ts';

/** Makes the context for one environment of the project at `root`. Throws when its file has errors. */
export async function openDeploying(job: Job, github: GitHub, root: string, name: string): Promise<Deploying> {
  const { inputs, runner, signal } = job;
  const options = { environment: name };
  const context: Context = { args: inputs.endpoints, options, root, cwd: root, progress: LOG, signal };
  const { value: environment, diagnostics } = await readEnvironment(projectPlace(context), name);
  if (!environment) {
    const why = diagnostics.map((d) => `${d.file}:${d.line}:${d.column} ${d.message}`).join('; ');
    throw new Error(`Cannot use environment "${name}": ${why}`);
  }
  let project: Promise<PulumiProject> | undefined;
  const open = () => (project ??= openFor(context));
  const branch = runner.ref.replace(/^refs\/heads\//, '');
  return { job, github, environment, context, open, findReview: makeFindReview(github, branch) };
}
