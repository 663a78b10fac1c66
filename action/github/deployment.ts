import { z } from 'zod';
import type { GitHub } from './connect.ts';

/** Who deployed: recognises the state lock of a runner that died. */
const payload = z.object({
  endpoint: z.string(),
  runId: z.int(),
  runAttempt: z.int(),
  host: z.string(),
});
export type DeploymentPayload = z.infer<typeof payload>;

export type DeploymentState = 'in_progress' | 'success' | 'failure' | 'error' | 'inactive';

export interface NewDeployment {
  /** The commit that is deployed. */
  readonly sha: string;
  readonly environment: string;
  readonly payload: DeploymentPayload;
}

export interface DeploymentStatus {
  readonly state: DeploymentState;
  /** At most 140 characters are kept. */
  readonly description: string;
  readonly logUrl?: string;
  readonly environmentUrl?: string | undefined;
}

export interface Deployment {
  readonly id: number;
  readonly sha: string;
  readonly environment: string;
  readonly createdAt: string;
  readonly payload: DeploymentPayload;
}

const TASK = 'davit:';
const DESCRIPTION_CHARACTERS = 140;

/** Records that an endpoint is deployed now; its number. */
export async function createDeployment({ octokit, place }: GitHub, deployment: NewDeployment): Promise<number> {
  const created = await octokit.rest.repos.createDeployment({
    ...place,
    ref: deployment.sha,
    environment: deployment.environment,
    task: `${TASK}${deployment.payload.endpoint}`,
    payload: { ...deployment.payload },
    description: `Davit: ${deployment.payload.endpoint}`,
    auto_merge: false,
    required_contexts: [], // what a merge needs was asked for before the merge
  });
  if ('id' in created.data) return created.data.id;
  throw new Error(`Cannot record a deployment of ${deployment.sha}: ${created.data.message ?? 'GitHub made none'}`);
}

/** Says how a deployment goes on. The endpoint's own older ones become inactive by `retireDeployments`, never others'. */
export async function setDeploymentStatus(
  { octokit, place }: GitHub,
  id: number,
  { state, description, logUrl, environmentUrl }: DeploymentStatus,
): Promise<void> {
  await octokit.rest.repos.createDeploymentStatus({
    ...place,
    deployment_id: id,
    state,
    description: description.slice(0, DESCRIPTION_CHARACTERS),
    auto_inactive: false, // it would retire the other endpoints of the environment
    ...(logUrl && { log_url: logUrl }),
    ...(environmentUrl && { environment_url: environmentUrl }),
  });
}

/** The newest state of a deployment; undefined: it has none yet. */
export async function readDeploymentState({ octokit, place }: GitHub, id: number): Promise<string | undefined> {
  const { data } = await octokit.rest.repos.listDeploymentStatuses({ ...place, deployment_id: id, per_page: 1 });
  return data[0]?.state;
}

/** Davit's deployments to an environment, newest first, of one endpoint or of all; as many pages as are asked for. */
export async function* listDeployments(
  { octokit, place }: GitHub,
  environment: string,
  endpoint?: string,
): AsyncGenerator<Deployment> {
  const task = endpoint === undefined ? {} : { task: `${TASK}${endpoint}` };
  const options = { ...place, environment, ...task, per_page: 100 };
  for await (const { data } of octokit.paginate.iterator(octokit.rest.repos.listDeployments, options)) {
    for (const { id, sha, environment: where, created_at, payload: told, task: named } of data) {
      const read = payload.safeParse(typeof told === 'string' ? parseJson(told) : told);
      if (read.success && named === `${TASK}${read.data.endpoint}`)
        yield { id, sha, environment: where, createdAt: created_at, payload: read.data };
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
