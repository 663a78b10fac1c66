import type { PulumiProject } from '../../engine/pulumi-project.ts';
import { upStack } from '../../engine/run-pulumi.ts';
import { isDeployed } from '../../engine/stacks.ts';
import type { AttestationApi } from '../../images/attestations/fetch-attestations.ts';
import { renderAttestedImages } from '../../schemas/deployment/attested-images.ts';
import { type Diagnostic, hasErrors } from '../../schemas/diagnostic.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import { readLock } from '../../schemas/read-project.ts';
import { stackName } from '../../schemas/values/names.ts';
import type { Plan } from '../../schemas/report/plan.ts';
import { named } from '../../system/progress.ts';
import { mapConcurrent } from '../../system/map-concurrent.ts';
import { checkProofInEnvironment } from '../../validation/proof/check-proof-in-environment.ts';
import { type EnvironmentRequest, openProjectForRequest } from '../project-request.ts';
import { openTarget } from '../targets/open-target.ts';
import { validateWithOwnLock } from '../validate-endpoints.ts';
import { hasDrifted } from './preview-endpoints.ts';
import { makeStackDiagnostics } from './stack-failures.ts';
import { verifyThroughGateway } from './verify-gateway.ts';
import { readErrorMessage } from '../../schemas/values/read-error-message.ts';

const STACKS_AT_ONCE = 4;

export interface DeployedEndpoint {
  readonly endpoint: string;
  /** Undefined when it was not deployed. */
  readonly plan: Plan | undefined;
  readonly url: string | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Validates and deploys several endpoints at a time. A failure of one does not stop the others. */
export async function deployEndpoints(
  endpoints: readonly Endpoint[],
  request: EnvironmentRequest,
): Promise<readonly DeployedEndpoint[]> {
  const opening = openProjectForRequest(request);
  opening.catch(() => undefined); // every deployment below awaits it
  const results = await mapConcurrent(endpoints, STACKS_AT_ONCE, (e) =>
    deployEndpoint(e, { ...request, opening }).then(
      (value) => ({ value, error: undefined }),
      (error: unknown) => ({ value: undefined, error }),
    ),
  );
  const errors = results.filter((r) => r.value === undefined).map((r) => r.error);
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, errors.map(readErrorMessage).join('\n'));
  return results.flatMap((r) => r.value ?? []);
}

export interface DeployRequest extends EnvironmentRequest {
  readonly opening: Promise<PulumiProject>;
  /** The model is not run here: it was proven where there are no credentials, and its revision will predict. */
  readonly proved?: boolean;
  /** Where attestations of images are read. Default: GitHub, with the token of the user's environment. */
  readonly attestations?: AttestationApi | undefined;
}

const NOT_DEPLOYED = { plan: undefined, url: undefined } as const;

/** Validates and deploys one endpoint. Errors in its files are in the diagnostics; an outage is thrown. */
export async function deployEndpoint(endpoint: Endpoint, request: DeployRequest): Promise<DeployedEndpoint> {
  const { opening, place, environment, signal, proved = false } = request;
  const progress = named(request.progress, endpoint.name);
  const validation = await validateWithOwnLock(endpoint, request, proved ? 'lock' : undefined);
  const checked = [...validation.diagnostics, ...checkProofInEnvironment(endpoint, validation, environment)];
  if (hasErrors(checked)) return { ...NOT_DEPLOYED, endpoint: endpoint.name, diagnostics: checked };
  const opened = await opening;
  const prepared =
    environment.target === 'kubernetes'
      ? await prepareCluster(endpoint, { ...request, environment, project: opened, progress })
      : { project: opened, removeLeftovers: undefined, diagnostics: [] };
  const { project, removeLeftovers } = prepared;
  if (hasErrors(prepared.diagnostics))
    return { ...NOT_DEPLOYED, endpoint: endpoint.name, diagnostics: [...checked, ...prepared.diagnostics] };
  const stack = stackName(endpoint.name, environment.name);
  const refresh = await needsRefresh(endpoint, project, request);
  const outcome = await upStack(project, stack, { progress, signal, refresh });
  if (outcome.status !== 'succeeded') signal.throwIfAborted();
  else await removeLeftovers?.();
  if (outcome.status === 'succeeded' && environment.target === 'local') {
    progress.say('Verifying through the gateway …');
    await verifyThroughGateway(endpoint, {
      root: place.root,
      lock: (await readLock(place, endpoint.name)).value,
      target: openTarget(place.root, environment, signal),
      signal,
    });
  }
  const diagnostics = [...checked, ...makeStackDiagnostics(endpoint, stack, outcome)];
  const url = outcome.status === 'succeeded' ? String(outcome.outputs['url']) : undefined;
  return { endpoint: endpoint.name, plan: outcome.plan, url, diagnostics };
}

interface PreparedCluster {
  readonly project: PulumiProject;
  /** Removes leftovers of killed updates. Call it after a successful update. */
  readonly removeLeftovers: () => Promise<void>;
  /** With an error, nothing is deployed. */
  readonly diagnostics: readonly Diagnostic[];
}

type ClusterRequest = Omit<DeployRequest, 'environment'> & {
  readonly environment: KubernetesEnvironment;
  readonly project: PulumiProject;
};

/** Builds missing images or, where the environment requires attested ones, checks those that its workflow has built. */
async function prepareCluster(endpoint: Endpoint, request: ClusterRequest): Promise<PreparedCluster> {
  const [{ buildMissingImages }, attestations, { connectCluster }, { listConfigurations, removeIdleConfigurations }] =
    await Promise.all([
      import('../images/build-missing-images.ts'),
      import('../images/check-attestations.ts'),
      import('../../kubernetes/client/connect.ts'),
      import('../../kubernetes/diagnosis/leftovers.ts'),
    ]);
  const { environment, place, signal } = request;
  if (!environment.images.provenance) await buildMissingImages(endpoint, request);
  const images = await attestations.checkAttestations(endpoint, request);
  const scope = { namespace: environment.namespace, endpoint: endpoint.name };
  const api = await connectCluster(environment.cluster, place.root, { signal });
  const before = await listConfigurations(api, scope);
  const variables = renderAttestedImages(attestations.listAttestedImages(images));
  return {
    project: { ...request.project, environment: { ...request.project.environment, ...variables } },
    removeLeftovers: () => removeIdleConfigurations(api, scope, before),
    diagnostics: attestations.makeAttestationErrors(images, environment),
  };
}

/** Others may change or remove objects in a cluster, so it is refreshed every time. */
async function needsRefresh({ name }: Endpoint, project: PulumiProject, request: EnvironmentRequest): Promise<boolean> {
  const { place, environment, signal } = request;
  if (environment.target === 'kubernetes') return isDeployed(project, stackName(name, environment.name));
  await openTarget(place.root, environment, signal).replaceHanging?.();
  const drifted = await hasDrifted(project, name, request);
  if (drifted)
    named(request.progress, name).say(
      'Deployed before, but parts of it are gone: comparing what was recorded with what runs …',
    );
  return drifted;
}
