import { hostname, userInfo } from 'node:os';
import { listMessages, renderCauses } from '../../app/catch-outage.ts';
import { previewEndpoint } from '../../app/deploy/preview-endpoints.ts';
import { deployEndpoint, type DeployedEndpoint } from '../../app/deploy/deploy-endpoints.ts';
import { type Diagnostic, hasErrors } from '../../schemas/diagnostic.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import { checkAgainstEnvironment } from '../../schemas/endpoint/check-against-environment.ts';
import { validateWithOwnLock } from '../../app/validate-endpoints.ts';
import {
  createDeployment,
  type DeploymentPayload,
  retireDeployments,
  setDeploymentStatus,
} from '../github/deployment.ts';
import { makeAttestationApi } from './attestation-api.ts';
import { compareWithReview } from './compare-with-review.ts';
import type { DeploymentResult, Deploying, DeploymentOutcome, Review } from './deployment-context.ts';
import type { Candidate, Hold } from './select-deployments.ts';
import { withoutDeadLocks } from './retry-without-dead-locks.ts';
import { verifyEndpoint } from './verify-endpoint.ts';

/**
 * Deploys one endpoint as it was merged, if its plan is the reviewed one, and records it at GitHub. Every error is in
 * the result: a failure of one endpoint does not stop another, and what serves keeps serving.
 */
export async function deployCandidate(candidate: Candidate, deploying: Deploying): Promise<DeploymentResult> {
  const { name: endpoint, commit, active, hold } = candidate;
  if (hold) return makeHeldResult({ endpoint, hold, commit }, deploying);
  let review: Review | undefined;
  const ended = await recorded({ endpoint, action: 'deploy', active }, deploying, async () => {
    review = await deploying.findReview(commit);
    return deploy(candidate, review, deploying);
  });
  return { ...makeRollout(endpoint, ended, deploying), pull: review?.pull };
}

export interface HeldEndpoint {
  readonly endpoint: string;
  readonly hold: Pick<Hold, 'cause'> & Pick<DeploymentResult, 'state'>;
  readonly commit: string | undefined;
}

/** The result for an endpoint that the run leaves as it is. It has no record, because nothing was begun. */
export async function makeHeldResult(
  { endpoint, hold, commit }: HeldEndpoint,
  deploying: Deploying,
): Promise<DeploymentResult> {
  const ended = { state: hold.state, causes: [hold.cause], diagnostics: [], url: undefined };
  const { pull } = await deploying.findReview(commit);
  return { ...makeRollout(endpoint, ended, deploying), pull };
}

export interface RecordOptions {
  readonly endpoint: string;
  readonly action: DeploymentPayload['action'];
  /** The endpoint's earlier records, which become inactive when this one succeeds. */
  readonly active: readonly string[];
}

/** Works on an endpoint and records at GitHub who does it, since when, and how it ended. */
export async function recorded(
  { endpoint, action, active }: RecordOptions,
  deploying: Deploying,
  work: () => Promise<DeploymentOutcome>,
): Promise<DeploymentOutcome> {
  const { job, github, request } = deploying;
  const environment = request.environment.name;
  const { sha, runUrl: logUrl, runId, runAttempt } = job.runner;
  const payload = { endpoint, action, runId, runAttempt, host: hostname(), user: userInfo().username };
  let record: number | undefined;
  const ended = await toOutcome(deploying, async () => {
    record = await createDeployment(github, { sha, environment, payload });
    await setDeploymentStatus(github, record, {
      state: 'in_progress',
      description: START_DESCRIPTIONS[action],
      logUrl,
    });
    return work();
  });
  if (record === undefined) return ended;
  const state = GITHUB_STATES[ended.state];
  try {
    const [description = ''] = ended.causes;
    await setDeploymentStatus(github, record, { state, description, logUrl, environmentUrl: ended.url });
    if (state === 'success') await retireDeployments(github, { environment, endpoint }, active);
  } catch (e) {
    request.progress.say(`Cannot record the result of ${endpoint} at GitHub: ${renderCauses(e)}`);
  }
  return ended;
}

const START_DESCRIPTIONS = { deploy: 'Deploying', remove: 'Removing' } as const;

/** GitHub's states. */
const GITHUB_STATES = {
  waiting: 'in_progress',
  deploying: 'in_progress',
  live: 'success',
  removed: 'success',
  kept: 'success',
  superseded: 'success',
  stopped: 'failure',
  failed: 'failure',
  cancelled: 'error',
} as const;

/** The rollout of one endpoint, with its environment and its run. */
export function makeRollout(
  endpoint: string,
  ended: DeploymentOutcome,
  { request, job }: Deploying,
): Omit<DeploymentResult, 'pull'> {
  return { endpoint, environment: request.environment.name, runUrl: job.runner.runUrl, ...ended };
}

/** Turns an error of the work, such as an outage or a cancelled run, into its outcome. */
export async function toOutcome(
  { request }: Deploying,
  work: () => Promise<DeploymentOutcome>,
): Promise<DeploymentOutcome> {
  try {
    return await work();
  } catch (e) {
    const state = request.signal.aborted ? 'cancelled' : 'failed';
    const causes = listMessages(e).flatMap((m) => m.split('\n'));
    return { state, causes, diagnostics: [], url: undefined };
  }
}

async function deploy(
  { endpoint, diagnostics, why }: Candidate,
  review: Review,
  deploying: Deploying,
): Promise<DeploymentOutcome> {
  const { request } = deploying;
  if (!endpoint) return refuse(diagnostics);
  const unfit = [...diagnostics, ...checkAgainstEnvironment(endpoint, request.environment)];
  if (hasErrors(unfit)) return refuse(unfit);
  const checked = await validateWithOwnLock(endpoint, request, 'lock');
  if (hasErrors(checked.diagnostics)) return refuse(checked.diagnostics);
  const previewed = await previewEndpoint(endpoint, await deploying.open(), request);
  if (hasErrors(previewed.diagnostics)) return refuse(previewed.diagnostics);
  if (previewed.plan.verdict.kind === 'no-change')
    return { state: 'live', causes: ['no change'], diagnostics: [], url: undefined };
  const readFingerprint = () => Promise.resolve(previewed.fingerprint);
  const differences = await compareWithReview(endpoint.name, { review, deploying, why, readFingerprint });
  if (differences.length > 0) return { state: 'stopped', causes: differences, diagnostics: [], url: undefined };
  const deployed = await withoutDeadLocks(deploying, () =>
    deployEndpoint(endpoint, {
      ...request,
      opening: deploying.open(),
      proved: true,
      attestations: makeAttestationApi(deploying.job),
    }),
  );
  return verifyDeployment(endpoint, deployed, deploying);
}

async function verifyDeployment(
  endpoint: Endpoint,
  deployed: DeployedEndpoint,
  deploying: Deploying,
): Promise<DeploymentOutcome> {
  const { plan, url, diagnostics } = deployed;
  if (url === undefined) return refuse(diagnostics);
  const { good, lines } = await verifyEndpoint(endpoint, deploying);
  const done = plan?.verdict.words ?? 'deployed';
  return { state: good ? 'live' : 'failed', causes: good ? [done, ...lines] : [...lines, done], diagnostics, url };
}

function refuse(diagnostics: readonly Diagnostic[]): DeploymentOutcome {
  const wrong = diagnostics.filter((d) => d.severity === 'error');
  const causes = wrong.flatMap((d) => [`${d.file}:${d.line} ${d.message}`, ...(d.hint?.split('\n') ?? [])]);
  return { state: 'failed', causes, diagnostics, url: undefined };
}
