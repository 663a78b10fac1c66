import { z } from 'zod';
import { sendGraphql } from './send-graphql.ts';
import { type Author, isAuthor } from './author.ts';
import type { GitHub } from './connect.ts';
import { makeDeploymentTask } from './project-names.ts';

/** Identifies the deployer, so that the state lock of a runner that died can be recognised. */
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
  /** The deployed commit. */
  readonly sha: string;
  readonly environment: string;
  readonly payload: DeploymentPayload;
}

export interface DeploymentStatus {
  readonly state: DeploymentState;
  /** Shortened to 140 characters. */
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
  /** All its states, newest first. */
  readonly states: readonly string[];
}

const DESCRIPTION_CHARACTERS = 140;

/** Records that the deployment of an endpoint begins, and returns its number. */
export async function createDeployment(github: GitHub, deployment: NewDeployment): Promise<number> {
  const { octokit, place } = github;
  const created = await octokit.rest.repos.createDeployment({
    ...place,
    ref: deployment.sha,
    environment: deployment.environment,
    task: makeDeploymentTask(github, deployment.payload.endpoint),
    payload: { ...deployment.payload },
    description: `Davit: ${deployment.payload.endpoint}`,
    auto_merge: false,
    required_contexts: [], // required checks were met before the merge
  });
  if ('id' in created.data) return created.data.id;
  throw new Error(`Cannot record a deployment of ${deployment.sha}: ${created.data.message ?? 'GitHub created none'}`);
}

/** Sets the current status of a deployment. */
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
    auto_inactive: false, // otherwise it would retire the environment's other endpoints
    ...(logUrl && { log_url: logUrl }),
    ...(environmentUrl && { environment_url: environmentUrl }),
  });
}

/** Makes deployments inactive on GitHub's page; the records and their states stay. */
export async function retireDeployments(
  github: GitHub,
  { environment, endpoint }: { readonly environment: string; readonly endpoint: string },
  nodeIds: readonly string[],
): Promise<void> {
  if (nodeIds.length === 0) return;
  const { octokit, place } = github;
  const wanted = { ...place, environment, task: makeDeploymentTask(github, endpoint), per_page: 100 };
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

// Uses node ids, because `databaseId` is a 32-bit number that GitHub has outgrown. Uses all statuses, because another
// endpoint's status may have made a deployment INACTIVE.
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

/** The project's deployments to an environment, newest first, loaded page by page. Others' are left out. */
export async function* listDeployments(github: GitHub, environment: string): AsyncGenerator<Deployment> {
  for (let after: string | null = null; ;) {
    const variables = { ...github.place, environment, after };
    const page: DeploymentsPage = await sendGraphql<DeploymentsPage>(github, DEPLOYMENTS, variables);
    const { nodes, pageInfo } = page.repository.deployments;
    for (const { id, commitOid, createdAt, creator, payload: text, task, statuses } of nodes) {
      const read = payload.safeParse(parsePayload(text));
      if (
        !read.success ||
        task !== makeDeploymentTask(github, read.data.endpoint) ||
        !isAuthor(creator, page.viewer.login)
      )
        continue;
      const states = (statuses?.nodes ?? []).map((s) => s.state.toLowerCase());
      yield { nodeId: id, sha: commitOid, createdAt, payload: read.data, states };
    }
    if (!pageInfo.hasNextPage) return;
    after = pageInfo.endCursor;
  }
}

/** JSON, or JSON inside a JSON string. */
function parsePayload(text: string | null): unknown {
  try {
    const once: unknown = JSON.parse(text ?? '');
    return typeof once === 'string' ? JSON.parse(once) : once;
  } catch {
    return undefined;
  }
}
