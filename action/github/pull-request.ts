import { sendGraphql } from './send-graphql.ts';
import type { GitHub } from './connect.ts';

export interface PullRequest {
  readonly number: number;
  /** The id for GraphQL. */
  readonly nodeId: string;
  readonly url: string;
  readonly title: string;
  readonly state: 'open' | 'closed';
  readonly head: { readonly sha: string; readonly branch: string; readonly repository: string | undefined };
  readonly base: { readonly sha: string; readonly branch: string };
  readonly labels: readonly string[];
  /** The commit of the merge; undefined: not merged. */
  readonly mergedAs: string | undefined;
}

interface PullRequestResponse {
  readonly number: number;
  readonly node_id: string;
  readonly html_url: string;
  readonly title: string;
  readonly state: string;
  readonly head: {
    readonly sha: string;
    readonly ref: string;
    readonly repo?: { readonly full_name: string } | null;
  };
  readonly base: { readonly sha: string; readonly ref: string };
  readonly labels: readonly { readonly name?: string | null }[];
  readonly merged_at: string | null;
  readonly merge_commit_sha: string | null;
}

export async function readPullRequest({ octokit, place }: GitHub, number: number): Promise<PullRequest> {
  const { data } = await octokit.rest.pulls.get({ ...place, pull_number: number });
  return toPullRequest(data);
}

/** The pull request whose merge made a commit of `branch`; undefined: the commit was pushed directly. */
export async function findMergedPullRequest(
  { octokit, place }: GitHub,
  sha: string,
  branch: string,
): Promise<PullRequest | undefined> {
  const options = { ...place, commit_sha: sha, per_page: 100 };
  const found = await octokit.paginate(octokit.rest.repos.listPullRequestsAssociatedWithCommit, options);
  const merged = found.map(toPullRequest).filter((p) => p.mergedAs !== undefined && p.base.branch === branch);
  return merged.find((p) => p.mergedAs === sha) ?? merged.at(0);
}

/**
 * The open pull request of a branch, also of a fork, whose head is that commit; undefined: it is closed or has moved.
 * Of several, the one to the default branch, so that another one never speaks for it.
 */
export async function findOpenPullRequest(
  { octokit, place }: GitHub,
  head: { readonly owner: string; readonly branch: string; readonly sha: string },
  defaultBranch: string | undefined,
): Promise<PullRequest | undefined> {
  const options = { ...place, state: 'open', head: `${head.owner}:${head.branch}`, per_page: 100 } as const;
  const found = await octokit.paginate(octokit.rest.pulls.list, options);
  const open = found.map(toPullRequest).filter((pull) => pull.head.sha === head.sha);
  return open.find((pull) => pull.base.branch === defaultBranch) ?? open.at(0);
}

/** At most this many open pull requests, those that were changed last. */
const OPEN_PULL_REQUESTS = 100;

export async function listOpenPullRequests(
  { octokit, place }: GitHub,
  branch: string,
): Promise<readonly PullRequest[]> {
  const order = { sort: 'updated', direction: 'desc', per_page: OPEN_PULL_REQUESTS } as const;
  const { data } = await octokit.rest.pulls.list({ ...place, state: 'open', base: branch, ...order });
  return data.map(toPullRequest);
}

/** Whether the head of a pull request is a branch of this repository, which our token may write to. */
export function isOwnBranch({ place }: GitHub, { head }: PullRequest): boolean {
  return head.repository?.toLowerCase() === `${place.owner}/${place.repo}`.toLowerCase();
}

const REVERT = `mutation ($id: ID!, $title: String!, $body: String!) {
  revertPullRequest(input: { pullRequestId: $id, title: $title, body: $body }) { revertPullRequest { url } }
}`;

interface RevertResponse {
  readonly revertPullRequest: { readonly revertPullRequest: { readonly url: string } };
}

/** Opens a pull request that reverts a merged one, and returns its address. */
export async function openRevert(github: GitHub, pull: PullRequest, body: string): Promise<string> {
  const title = `Revert "${pull.title}" (#${pull.number})`;
  const opened = await sendGraphql<RevertResponse>(github, REVERT, { id: pull.nodeId, title, body });
  return opened.revertPullRequest.revertPullRequest.url;
}

/** The address of the open pull request that reverts this one, found by the branch name that GitHub gives it. */
export async function findRevert(
  { octokit, place }: GitHub,
  { number, head }: PullRequest,
): Promise<string | undefined> {
  const branch = `${place.owner}:revert-${number}-${head.branch}`;
  const { data } = await octokit.rest.pulls.list({ ...place, state: 'open', head: branch, per_page: 1 });
  return data[0]?.html_url;
}

function toPullRequest(answer: PullRequestResponse): PullRequest {
  const { head, base } = answer;
  return {
    number: answer.number,
    nodeId: answer.node_id,
    url: answer.html_url,
    title: answer.title,
    state: answer.state === 'open' ? 'open' : 'closed',
    head: { sha: head.sha, branch: head.ref, repository: head.repo?.full_name },
    base: { sha: base.sha, branch: base.ref },
    labels: answer.labels.flatMap((label) => label.name ?? []),
    mergedAs: answer.merged_at === null ? undefined : (answer.merge_commit_sha ?? undefined),
  };
}
