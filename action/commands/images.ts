import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { error, setOutput } from '@actions/core';
import { previewEndpoint } from '../../app/deploy/preview-endpoints.ts';
import { buildUnattestedImages } from '../../app/images/build-unattested-images.ts';
import { checkAttestations } from '../../app/images/check-attestations.ts';
import { renderCauses } from '../../app/catch-outage.ts';
import { validateWithOwnLock } from '../../app/validate-endpoints.ts';
import { hasAttestations, NO_ATTESTATIONS } from '../../images/attestations/fetch-attestations.ts';
import type { AttestationSubject } from '../../images/attestations/verify-attestation.ts';
import { hasErrors } from '../../schemas/diagnostic.ts';
import { checkAgainstEnvironment } from '../../schemas/endpoint/check-against-environment.ts';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import { named } from '../../system/progress.ts';
import { withGitHub } from '../connect-job.ts';
import { makeAttestationApi } from '../deploy/attestation-api.ts';
import { buildForCandidates, buildIfReviewed, type BuildRun } from '../deploy/build-images.ts';
import type { Deploying } from '../deploy/deployment-context.ts';
import { openDeploymentContext } from '../deploy/open-deployment-context.ts';
import { type Candidate, selectDeployments } from '../deploy/select-deployments.ts';
import type { Job } from '../job.ts';
import { ensureSandboxForBuilds } from '../ensure-sandbox.ts';
import { LOG, withoutWorkflowCommands } from '../log.ts';
import { prepareProgram } from '../prepare-program.ts';
import { findProject } from '../job-project.ts';

/** The rest of the job's two hours is for the deployments. */
const LIMIT_MILLISECONDS = 40 * 60_000;

/**
 * Builds the images that `deploy` is about to use and that lack an attestation, and outputs what the workflow has to
 * attest. Does nothing in an environment that requires none. A failure becomes an annotation and does not end the job:
 * `deploy` deploys the other endpoints and reports what this one lacks.
 */
export async function images(job: Job): Promise<void> {
  const subjects: AttestationSubject[] = [];
  const deadline = AbortSignal.timeout(LIMIT_MILLISECONDS);
  await withGitHub(job, async (github) => {
    const root = await findProject(job);
    await ensureSandboxForBuilds(root, job.signal);
    for (const name of job.inputs.environments) {
      const failures = await withoutWorkflowCommands(async () => {
        try {
          const deploying = await openDeploymentContext({ job, github, root, name, after: job.inputs.after });
          return await buildForEnvironment(deploying, { deadline, subjects });
        } catch (e) {
          job.signal.throwIfAborted();
          return [renderCauses(e)];
        }
      });
      for (const failure of failures) error(`Cannot build the images for ${name}: ${failure}`);
    }
  });
  if (subjects.length > 0) setOutput('subjects', await writeSubjects(job, subjects));
}

async function buildForEnvironment(
  deploying: Deploying,
  { deadline, subjects }: { readonly deadline: AbortSignal; readonly subjects: AttestationSubject[] },
): Promise<readonly string[]> {
  const { environment, signal } = deploying.request;
  if (environment.target !== 'kubernetes' || !environment.images.provenance) return [];
  if (!hasAttestations(makeAttestationApi(deploying.job))) return [NO_ATTESTATIONS];
  await prepareProgram(signal);
  const { candidates } = await selectDeployments(deploying, []);
  const build: BuildRun['build'] = (candidate, stop) =>
    buildForEndpoint(candidate, { ...deploying, request: { ...deploying.request, signal: stop } }, environment);
  const built = await buildForCandidates(
    candidates.filter((c) => !c.hold),
    { signal, deadline, build },
  );
  subjects.push(...built.subjects);
  return built.failures;
}

/** An endpoint with errors, or with another plan than the reviewed one, builds nothing, because `deploy` refuses it. */
async function buildForEndpoint(
  { endpoint, diagnostics, commit, why }: Candidate,
  deploying: Deploying,
  environment: KubernetesEnvironment,
): Promise<readonly AttestationSubject[]> {
  if (!endpoint || hasErrors([...diagnostics, ...checkAgainstEnvironment(endpoint, environment)])) return [];
  const { job } = deploying;
  const progress = named(deploying.request.progress, endpoint.name);
  const request = { ...deploying.request, environment, progress };
  const validation = await validateWithOwnLock(endpoint, request, 'lock');
  if (hasErrors(validation.diagnostics)) return [];
  const checked = await checkAttestations(endpoint, { ...request, attestations: makeAttestationApi(job) });
  if (checked.every((image) => image.fault === undefined)) return [];
  const project = await deploying.open();
  return buildIfReviewed(endpoint.name, {
    ...{ deploying, why, say: progress.say },
    review: await deploying.findReview(commit),
    readFingerprint: async () => (await previewEndpoint(endpoint, project, request)).fingerprint,
    build: () => buildUnattestedImages(endpoint, { ...request, checked, project }),
  });
}

/** In the format of sha256sum, which actions/attest-build-provenance reads. */
async function writeSubjects({ runner }: Job, subjects: readonly AttestationSubject[]): Promise<string> {
  const folder = join(runner.temporary, 'davit-images');
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'subjects.txt');
  const lines = subjects.map(({ name, digest }) => `${digest.replace('sha256:', '')}  ${name}\n`);
  await writeFile(file, [...new Set(lines)].join(''));
  LOG.say(`Built ${subjects.length} images to attest`);
  return file;
}
