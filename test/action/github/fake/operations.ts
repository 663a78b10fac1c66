/** A permission as in workflow files: `checks:write`. */
export type TokenPermission = `${string}:${'read' | 'write'}`;

/**
 * Every REST operation that the fake serves, with its permissions. One of them is enough.
 * Source: docs.github.com "Permissions required for GitHub Apps".
 */
export const OPERATIONS = {
  'actions/get-workflow-run': ['actions:read'],
  'checks/create': ['checks:write'],
  'checks/list-for-ref': ['checks:read'],
  'checks/update': ['checks:write'],
  'issues/create': ['issues:write'],
  'issues/create-comment': ['issues:write', 'pull-requests:write'],
  'issues/list-for-repo': ['issues:read', 'pull-requests:read'],
  'issues/update': ['issues:write', 'pull-requests:write'],
  'pulls/get': ['pull-requests:read', 'contents:read'],
  'pulls/list': ['pull-requests:read'],
  'repos/compare-commits-with-basehead': ['contents:read'],
  'repos/create-deployment': ['deployments:write'],
  'repos/create-deployment-status': ['deployments:write'],
  'repos/list-attestations': ['attestations:read'],
  'repos/list-deployments': ['deployments:read'],
  'repos/list-pull-requests-associated-with-commit': ['pull-requests:read'],
} as const satisfies Readonly<Record<string, readonly TokenPermission[]>>;

export type OperationId = keyof typeof OPERATIONS;

/** The fields of GitHub's GraphQL schema that the fake serves, with all their arguments and input types. */
export const GRAPHQL_FIELDS: Readonly<Record<string, readonly string[]>> = {
  Query: ['viewer', 'repository'],
  Mutation: ['addComment', 'updateIssueComment', 'minimizeComment', 'createCommitOnBranch', 'revertPullRequest'],
  User: ['login'],
  Bot: ['login'],
  Actor: ['login'],
  Repository: ['issueOrPullRequest', 'ref', 'deployments', 'object'],
  Issue: ['id', 'comments'],
  PullRequest: ['id', 'comments', 'number', 'url'],
  IssueCommentConnection: ['nodes', 'pageInfo'],
  IssueComment: ['id', 'url', 'body', 'isMinimized', 'author'],
  PageInfo: ['endCursor', 'hasNextPage'],
  Ref: ['target'],
  GitObject: ['oid'],
  Tree: ['oid', 'entries'],
  TreeEntry: ['name', 'object'],
  Blob: ['oid', 'text'],
  Commit: ['oid', 'messageHeadline', 'parents'],
  CommitConnection: ['nodes'],
  DeploymentConnection: ['nodes', 'pageInfo'],
  Deployment: ['id', 'commitOid', 'createdAt', 'creator', 'payload', 'statuses', 'task'],
  DeploymentStatusConnection: ['nodes'],
  DeploymentStatus: ['state'],
  AddCommentPayload: ['commentEdge'],
  IssueCommentEdge: ['node'],
  UpdateIssueCommentPayload: ['issueComment'],
  MinimizeCommentPayload: ['minimizedComment'],
  Minimizable: ['isMinimized'],
  CreateCommitOnBranchPayload: ['commit'],
  RevertPullRequestPayload: ['revertPullRequest'],
};

/** The permissions for GraphQL. A mutation needs one permission of each row. */
export const GRAPHQL_PERMISSIONS: Readonly<Record<string, readonly (readonly TokenPermission[])[]>> = {
  viewer: [],
  issueOrPullRequest: [['issues:read', 'pull-requests:read']],
  ref: [['contents:read']],
  object: [['contents:read']],
  deployments: [['deployments:read']],
  addComment: [['issues:write', 'pull-requests:write']],
  updateIssueComment: [['issues:write', 'pull-requests:write']],
  minimizeComment: [['issues:write', 'pull-requests:write']],
  createCommitOnBranch: [['contents:write']],
  revertPullRequest: [['contents:write'], ['pull-requests:write']],
};
