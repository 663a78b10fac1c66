import { z } from 'zod';
import { askGraphql } from './ask-graphql.ts';
import { type Author, isAuthor } from './author.ts';
import type { GitHub } from './connect.ts';

/** Who deployed: recognises the state lock of a runner that died. */
const payload = z.object({
  endpoint: z.string(),
  action: z.enum(['deploy', 'remove']),
  runId: z.int(),
  runAttempt: z.int(),
  host: z.string(),
  user: z.string(),
});
export type DeploymentPayload = z.infer<typeof payload>;

type DeploymentState = 'in_progress' | 'success' | 'failure' | 'error' | 'inactive';

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
  readonly nodeId: string;
  readonly sha: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly payload: DeploymentPayload;
  /** All that it has been in, newest first. */
  readonly states: readonly string[];
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

/** Says how a deployment goes on. */
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

/** What GitHub's page shows as active goes; the record and its states stay. */
export async function retireDeployments(
  github: GitHub,
  { environment, endpoint }: { readonly environment: string; readonly endpoint: string },
  nodeIds: readonly string[],
): Promise<void> {
  if (nodeIds.length === 0) return;
  const { octokit, place } = github;
  const wanted = { ...place, environment, task: `${TASK}${endpoint}`, per_page: 100 };
  const { data } = await octokit.rest.repos.listDeployments(wanted);
  for (const { id } of data.filter((d) => nodeIds.includes(d.node_id)))
    await setDeploymentStatus(github, id, { state: 'inactive', description: '' });
}

interface DeploymentsPage {
  readonly viewer: { readonly login: string };
  readonly repository: {
    readonly deployments: {
      readonly nodes: readonly {
        readonly id: string;
        readonly commitOid: string;
        readonly createdAt: string;
        readonly creator: Author | null;
        readonly payload: string | null;
        readonly task: string | null;
        readonly statuses: { readonly nodes: readonly { readonly state: string }[] } | null;
      }[];
      readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean };
    };
  };
}

// Its `databaseId` is a 32-bit number that GitHub has outgrown; a status of another endpoint may have made it INACTIVE.
const DEPLOYMENTS = `query ($owner: String!, $repo: String!, $environment: String!, $after: String) {
  viewer { login }
  repository(owner: $owner, name: $repo) {
    deployments(environments: [$environment], first: 100, after: $after, orderBy: { field: CREATED_AT, direction: DESC }) {
      nodes {
        id commitOid createdAt payload task
        creator { login type: __typename }
        statuses(first: 10) { nodes { state } }
      }
      pageInfo { endCursor hasNextPage }
    }
  }
}`;

/** Davit's deployments to an environment, newest first, a page at a time as they are asked for; nobody else's. */
export async function* listDeployments(github: GitHub, environment: string): AsyncGenerator<Deployment> {
  for (let after: string | null = null; ;) {
    const variables = { ...github.place, environment, after };
    const page: DeploymentsPage = await askGraphql<DeploymentsPage>(github, DEPLOYMENTS, variables);
    const { nodes, pageInfo } = page.repository.deployments;
    for (const { id, commitOid, createdAt, creator, payload: told, task, statuses } of nodes) {
      const read = payload.safeParse(parsePayload(told));
      if (!read.success || task !== `${TASK}${read.data.endpoint}` || !isAuthor(creator, page.viewer.login)) continue;
      const states = (statuses?.nodes ?? []).map((s) => s.state.toLowerCase());
      yield { nodeId: id, sha: commitOid, createdAt, payload: read.data, states };
    }
    if (!pageInfo.hasNextPage) return;
    after = pageInfo.endCursor;
  }
}

/** A text of JSON, or a text of a text of JSON. */
function parsePayload(told: string | null): unknown {
  try {
    const once: unknown = JSON.parse(told ?? '');
    return typeof once === 'string' ? JSON.parse(once) : once;
  } catch {
    return undefined;
  }
}
