import { sendGraphql } from './send-graphql.ts';
import { type Author, isAuthor } from './author.ts';
import type { GitHub } from './connect.ts';

export interface StickyComment {
  /** The number of the pull request or issue. */
  readonly pull: number;
  /** A hidden first line, `<!-- davit:pull-request -->`, that no other comment of ours has. */
  readonly marker: string;
  /** Markdown of at most 65,536 characters, including the marker. */
  readonly body: string;
}

export interface PostedComment {
  readonly url: string;
  readonly done: 'created' | 'updated' | 'unchanged';
}

interface Comment {
  readonly id: string;
  readonly url: string;
  readonly body: string;
  readonly isMinimized: boolean;
  readonly author: Author | null;
}

interface CommentsPage {
  readonly viewer: { readonly login: string };
  readonly repository: {
    readonly issueOrPullRequest: {
      readonly id: string;
      readonly comments: {
        readonly nodes: readonly Comment[];
        readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean };
      };
    } | null;
  };
}

interface AddCommentResponse {
  readonly addComment: { readonly commentEdge: { readonly node: { readonly url: string } } };
}

const COMMENTS = `query ($owner: String!, $repo: String!, $pull: Int!, $after: String) {
  viewer { login }
  repository(owner: $owner, name: $repo) {
    issueOrPullRequest(number: $pull) {
      ... on PullRequest { id comments(first: 100, after: $after) { ...page } }
      ... on Issue { id comments(first: 100, after: $after) { ...page } }
    }
  }
}
fragment page on IssueCommentConnection {
  nodes { id url body isMinimized author { login type: __typename } }
  pageInfo { endCursor hasNextPage }
}`;

const ADD = `mutation ($subject: ID!, $body: String!) {
  addComment(input: { subjectId: $subject, body: $body }) { commentEdge { node { url } } }
}`;

const UPDATE = `mutation ($id: ID!, $body: String!) {
  updateIssueComment(input: { id: $id, body: $body }) { issueComment { url } }
}`;

const MINIMIZE = `mutation ($id: ID!) {
  minimizeComment(input: { subjectId: $id, classifier: OUTDATED }) { minimizedComment { isMinimized } }
}`;

/**
 * Makes `body` the text of the one comment with the marker: the newest of ours, wherever it is. Older ones of ours are
 * minimised. A comment of somebody else with the marker is never touched. Writes only if something differs.
 */
export async function postComment(github: GitHub, { pull, marker, body }: StickyComment): Promise<PostedComment> {
  const { subject, ours } = await findOwnComments(github, pull, marker);
  const text = `${marker}\n${body}`;
  const newest = ours.findLast((comment) => !comment.isMinimized);
  for (const old of ours) if (old !== newest && !old.isMinimized) await sendGraphql(github, MINIMIZE, { id: old.id });
  if (!newest) {
    const { addComment } = await sendGraphql<AddCommentResponse>(github, ADD, {
      subject,
      body: text,
    });
    return { url: addComment.commentEdge.node.url, done: 'created' };
  }
  if (newest.body === text) return { url: newest.url, done: 'unchanged' };
  await sendGraphql(github, UPDATE, { id: newest.id, body: text });
  return { url: newest.url, done: 'updated' };
}

/** The body, without its marker, of the comment that `postComment` would update; undefined: there is none. */
export async function readComment(github: GitHub, pull: number, marker: string): Promise<string | undefined> {
  const { ours } = await findOwnComments(github, pull, marker);
  return ours.findLast((comment) => !comment.isMinimized)?.body.slice(marker.length + 1);
}

async function findOwnComments(github: GitHub, pull: number, marker: string) {
  const { owner, repo } = github.place;
  const ours: Comment[] = [];
  for (let after: string | null = null; ;) {
    const page: CommentsPage = await sendGraphql<CommentsPage>(github, COMMENTS, { owner, repo, pull, after });
    const subject = page.repository.issueOrPullRequest;
    if (!subject) throw new RangeError(`Cannot find pull request ${pull} in ${owner}/${repo}`);
    const { nodes, pageInfo } = subject.comments;
    ours.push(...nodes.filter((c) => c.body.startsWith(`${marker}\n`) && isAuthor(c.author, page.viewer.login)));
    if (!pageInfo.hasNextPage) return { subject: subject.id, ours };
    after = pageInfo.endCursor;
  }
}
