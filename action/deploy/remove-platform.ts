import { takeDownPlatform } from '../../app/deploy/deploy-platform.ts';
import { listDeployedEndpoints } from '../../app/deploy/take-down.ts';
import type { EnvironmentRequest } from '../../app/project-request.ts';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import { PLATFORM } from '../../schemas/values/names.ts';
import { makeRollout, toOutcome } from './deploy-candidate.ts';
import type { DeploymentResult, Deploying } from './deployment-context.ts';

type TakeDown = (request: EnvironmentRequest & { readonly environment: KubernetesEnvironment }) => Promise<unknown>;

/**
 * Takes down the parts that all endpoints of an environment share. An error becomes the result, so that the results of
 * the endpoints that were removed before are still reported. No result: only a Kubernetes environment has shared parts.
 */
export async function removePlatform(
  deploying: Deploying,
  takeDown: TakeDown = takeDownUnusedPlatform,
): Promise<readonly DeploymentResult[]> {
  const { environment, ...request } = deploying.request;
  if (environment.target !== 'kubernetes') return [];
  const ended = await toOutcome(deploying, async () => {
    await takeDown({ ...request, environment });
    return { state: 'removed', causes: [], diagnostics: [], url: undefined };
  });
  return [{ ...makeRollout(PLATFORM, { ...ended, isRemoval: true }, deploying), pull: undefined }];
}

const takeDownUnusedPlatform: TakeDown = async (request) =>
  takeDownPlatform(request, await listDeployedEndpoints(request.environment.name, request));
