import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, type ExecutionResult, graphql, GraphQLError } from 'graphql';
import { z } from 'zod';
import { GRAPHQL_PERMISSIONS, type TokenPermission } from './operations.ts';
import { answerObject } from './objects.ts';
import { Refusal, refuseLongBody } from './refusal.ts';
import { type Author, makeAuthor, type World } from './world.ts';

export interface GraphqlRequest {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
}

interface GraphqlContext {
  readonly world: World;
  readonly login: string;
  readonly allows: (need: TokenPermission) => boolean;
}

/** Answers a GraphQL request according to GitHub's schema (contract.graphql). Refusals are errors with status 200. */
export async function answerGraphql(
  { query, variables }: GraphqlRequest,
  asking: GraphqlContext,
): Promise<ExecutionResult> {
  const answered = await graphql({
    schema: SCHEMA,
    source: query,
    rootValue: makeRoot(asking),
    ...(variables && { variableValues: variables }),
  });
  // GitHub puts the type next to the message.
  const errors = answered.errors?.map((e) => ({ ...e.toJSON(), ...(e.extensions['type'] ? e.extensions : {}) }));
  return { ...answered, ...(errors && { errors: errors as unknown as readonly GraphQLError[] }) };
}

/** The name of the queried field or the mutation. Tests and faults refer to the request by it. */
export function findGraphqlField(query: string): string {
  const known = Object.keys(GRAPHQL_PERMISSIONS).filter((name) => name !== 'viewer');
  return known.find((name) => new RegExp(`\\b${name}\\b\\s*\\(`).test(query)) ?? 'viewer';
}

const SCHEMA = buildSchema(readFileSync(join(import.meta.dirname, 'contract.graphql'), 'utf8'));

function refuse(type: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { type } });
}

function makeRoot(asking: GraphqlContext) {
  const { world, login } = asking;
  const guarded =
    <A>(field: string, answer: (args: A) => unknown) =>
    (args: A) => {
      const missing = GRAPHQL_PERMISSIONS[field]?.some((row) => !row.some(asking.allows)) ?? true;
      if (missing) throw refuse('FORBIDDEN', 'Resource not accessible by integration');
      try {
        return answer(args);
      } catch (e) {
        if (!(e instanceof Refusal)) throw e;
        throw refuse('UNPROCESSABLE', JSON.stringify(e.errors ?? e.message));
      }
    };
  const mutation = <A>(field: string, answer: (input: A) => unknown) =>
    guarded(field, ({ input }: { readonly input: A }) => answer(input));
  return {
    viewer: { login },
    repository: ({ owner, name }: { readonly owner: string; readonly name: string }) => {
      if (`${owner}/${name}`.toLowerCase() !== world.repository.toLowerCase())
        throw refuse('NOT_FOUND', `Could not resolve to a Repository with the name '${owner}/${name}'.`);
      return {
        issueOrPullRequest: guarded('issueOrPullRequest', (args: { readonly number: number }) =>
          answerSubject(world, args.number),
        ),
        deployments: guarded('deployments', (args: Page & { readonly environments?: readonly string[] }) =>
          answerDeployments(world, args),
        ),
        object: guarded('object', (args: { readonly expression: string }) => answerObject(world, args.expression)),
        ref: guarded('ref', (args: { readonly qualifiedName: string }) => answerRef(world, args.qualifiedName)),
      };
    },
    addComment: mutation('addComment', (input: { readonly subjectId: string; readonly body: string }) =>
      addComment(asking, input),
    ),
    updateIssueComment: mutation('updateIssueComment', (input: { readonly id: string; readonly body: string }) => {
      refuseLongBody(input.body);
      const comment = findComment(world, input.id);
      comment.body = input.body;
      return { issueComment: answerComment(world, comment) };
    }),
    minimizeComment: mutation('minimizeComment', (input: { readonly subjectId: string }) => {
      const comment = findComment(world, input.subjectId);
      comment.minimized = true;
      return { minimizedComment: { ...answerComment(world, comment), __typename: 'IssueComment' } };
    }),
    createCommitOnBranch: mutation('createCommitOnBranch', (input: unknown) => commitOnBranch(world, input)),
    revertPullRequest: mutation(
      'revertPullRequest',
      (input: { readonly pullRequestId: string; readonly title?: string }) => openRevert(world, input),
    ),
  };
}

const MAX_PAGE_SIZE = 100;

interface Page {
  readonly first?: number;
  readonly after?: string | null;
}

/** Returns one page of a list. Like GitHub, it requires a page size and accepts at most a hundred items. */
function answerPage<T>(list: string, items: readonly T[], { first, after }: Page) {
  if (first === undefined || first < 1 || first > MAX_PAGE_SIZE)
    throw refuse('EXCESSIVE_PAGINATION', `You must provide a \`first\` value of 1 to 100 to paginate \`${list}\``);
  const from = after ? Number(Buffer.from(after, 'base64url').toString()) : 0;
  const nodes = items.slice(from, from + first);
  const end = from + nodes.length;
  const endCursor = Buffer.from(String(end)).toString('base64url');
  return { nodes, pageInfo: { endCursor, hasNextPage: end < items.length } };
}

function answerDeployments(world: World, { environments, ...page }: Page & { environments?: readonly string[] }) {
  const found = world.deployments.filter((d) => environments?.includes(d.environment) ?? true).toReversed();
  const { nodes, pageInfo } = answerPage('deployments', found, page);
  const answer = ({ id, sha, createdAt, creator, payload, task, statuses }: World['deployments'][number]) => ({
    id: `DE_${id}`,
    commitOid: sha,
    createdAt,
    creator: answerAuthor(creator),
    payload: JSON.stringify(payload),
    task,
    statuses: (p: Page) =>
      answerPage(
        'statuses',
        statuses.toReversed().map((s) => ({ state: String(s['state']).toUpperCase() })),
        p,
      ),
  });
  return { nodes: nodes.map(answer), pageInfo };
}

function answerSubject(world: World, number: number) {
  const isPull = world.pulls.some((p) => p.number === number);
  if (!isPull && !world.issues.some((i) => i.number === number))
    throw refuse('NOT_FOUND', `Could not resolve to an issue or pull request with the number of ${number}.`);
  const all = world.comments.filter((c) => c.on === number);
  return {
    __typename: isPull ? 'PullRequest' : 'Issue',
    id: `${isPull ? 'PR' : 'I'}_${number}`,
    comments: (page: Page) => {
      const { nodes, pageInfo } = answerPage('comments', all, page);
      return { nodes: nodes.map((c) => answerComment(world, c)), pageInfo };
    },
  };
}

function answerComment(world: World, { id, on, body, minimized, author }: World['comments'][number]) {
  const url = `${world.server}/${world.repository}/pull/${on}#issuecomment-${id}`;
  return { id: `IC_${id}`, url, body, isMinimized: minimized, author: answerAuthor(author) };
}

/** GraphQL shows an app's login without "[bot]". */
function answerAuthor({ login, type }: Author) {
  return { __typename: type, login: login.replace(/\[bot\]$/, '') };
}

function addComment({ world, login }: GraphqlContext, { subjectId, body }: { subjectId: string; body: string }) {
  refuseLongBody(body);
  const on = Number(subjectId.split('_')[1]);
  const comment = { id: world.nextId(), on, author: makeAuthor(login), body, minimized: false };
  world.comments.push(comment);
  return { commentEdge: { node: answerComment(world, comment) } };
}

function findComment(world: World, id: string) {
  const comment = world.comments.find((c) => `IC_${c.id}` === id);
  if (!comment) throw refuse('NOT_FOUND', `Could not resolve to a node with the global id of '${id}'`);
  return comment;
}

function answerRef(world: World, name: string) {
  const head = world.branches.head(name.replace(/^refs\/heads\//, ''));
  if (!head) return null;
  const parents = () => ({ nodes: head.parents.map((oid) => ({ oid })) });
  return { target: { __typename: 'Commit', oid: head.oid, messageHeadline: head.headline, parents } };
}

const commitInput = z.object({
  branch: z.object({ repositoryNameWithOwner: z.string(), branchName: z.string() }),
  expectedHeadOid: z.string(),
  message: z.object({ headline: z.string() }),
  fileChanges: z.object({ additions: z.array(z.object({ path: z.string(), contents: z.base64() })) }),
});

function commitOnBranch(world: World, input: unknown) {
  const { branch, expectedHeadOid, message, fileChanges } = commitInput.parse(input);
  const head = world.branches.head(branch.branchName);
  if (!head || branch.repositoryNameWithOwner.toLowerCase() !== world.repository.toLowerCase())
    throw refuse('NOT_FOUND', `Could not resolve to a branch with the name '${branch.branchName}'`);
  if (head.oid !== expectedHeadOid)
    throw refuse('STALE_DATA', `Expected branch to point to "${expectedHeadOid}" but it points to "${head.oid}"`);
  const files = fileChanges.additions.map((a) => [a.path, Buffer.from(a.contents, 'base64').toString()] as const);
  const commit = world.branches.commit(branch.branchName, {
    headline: message.headline,
    parents: [expectedHeadOid],
    files: Object.fromEntries(files),
  });
  world.commits.push(commit);
  return { commit: { oid: commit.oid } };
}

function openRevert(world: World, { pullRequestId, title }: { pullRequestId: string; title?: string }) {
  const pull = world.pulls.find((p) => `PR_${p.number}` === pullRequestId);
  if (!pull) throw refuse('NOT_FOUND', `Could not resolve to a node with the global id of '${pullRequestId}'`);
  if (pull.mergedAs.length === 0) throw refuse('UNPROCESSABLE', 'Pull request is not merged');
  if (!world.mayOpenPullRequests)
    throw refuse('UNPROCESSABLE', 'GitHub Actions is not permitted to create or approve pull requests.');
  const number = Math.max(...world.pulls.map((p) => p.number), ...world.issues.map((i) => i.number)) + 1;
  const head = { sha: '1'.repeat(40), ref: `revert-${pull.number}-${pull.head.ref}` };
  const opened = { ...pull, number, title: title ?? `Revert "${pull.title}"`, head, mergedAs: [], labels: [] };
  world.pulls.push({ ...opened, head: { ...head, repository: undefined } });
  return { revertPullRequest: { number, url: `${world.server}/${world.repository}/pull/${number}` } };
}
