import { readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fetchProject } from '../../app/review/fetch-project.ts';
import { hasErrors } from '../../schemas/diagnostic.ts';
import type { EndpointReport } from '../../schemas/report/report.ts';
import { withCredentialFiles } from '../fetch/credential-files.ts';
import { packFetched } from '../fetch/fetched-files.ts';
import type { Job } from '../job.ts';
import { LOG, withoutWorkflowCommands } from '../log.ts';
import { prepareModelCredentials } from '../fetch/model-credentials.ts';
import { findFolderInside, findScope, listRequestedEnvironments, withReportFolder } from '../job-project.ts';
import { deleteRunnerVariables } from '../runner.ts';

/**
 * Fetches with the workflow's credentials what the job `validate` needs and cannot get without: models, locks and packages.
 * Runs no code of the pull request, of a model or of a package. What cannot be fetched is part of the report, and `validate`
 * reports it.
 */
export async function fetchModels(job: Job): Promise<void> {
  const secrets = prepareModelCredentials();
  deleteRunnerVariables();
  await withCredentialFiles(job, () => fetchWithCredentials(job, secrets));
}

async function fetchWithCredentials(job: Job, secrets: readonly string[]): Promise<void> {
  const { inputs, runner, signal } = job;
  const root = await findFolderInside(resolve(runner.workspace, inputs.pullRequest), inputs.project);
  const environments = await listRequestedEnvironments(job, root);
  const scope = await findScope(job, root);
  await withReportFolder(job, (out) =>
    withoutWorkflowCommands(async () => {
      const { report, files } = await fetchProject({
        root,
        ...scope,
        environments,
        everyEnvironment: inputs.environments.length === 0,
        out,
        withPackages: inputs.withPackages,
        progress: LOG,
        signal,
      });
      await refuseSecrets(out, secrets);
      await packFetched(out, files, job);
      for (const endpoint of report.endpoints) LOG.say(renderEnd(endpoint));
      LOG.say(`Handing over the report, the computed locks and ${files.length} files and folders of the cache`);
    }),
  );
}

function renderEnd({ endpoint, diagnostics, outage }: EndpointReport): string {
  if (outage !== null) return `${endpoint}: not fetched: ${outage}`;
  const error = diagnostics.find((d) => d.severity === 'error');
  return `${endpoint}: ${hasErrors(diagnostics) ? `not fetched: ${error?.message ?? ''}` : 'fetched'}`;
}

/** The report and the locks are read by everybody. No message of a server may bring a secret into them. */
async function refuseSecrets(folder: string, secrets: readonly string[]): Promise<void> {
  for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const text = await readFile(join(file.parentPath, file.name), 'utf8');
    if (!secrets.some((secret) => text.includes(secret))) continue;
    await rm(folder, { recursive: true, force: true });
    throw new Error(`Cannot hand over ${file.name}: it contains a credential of this job. Please report this`);
  }
}
