import { sendGraphql } from './send-graphql.ts';
import type { GitHub } from './connect.ts';
import { GitHubRequestError } from './request-error.ts';

export interface FilesToCommit {
  /** The name of the branch, without `refs/heads/`. */
  readonly branch: string;
  /** The expected head of the branch. If the branch has moved on, nothing is committed. */
  readonly expectedHead: string;
  readonly headline: string;
  /** Path relative to the repository's root → content. */
  readonly files: ReadonlyMap<string, string>;
}

const COMMIT = `mutation ($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid } }
}`;

const HEAD = `query ($owner: String!, $repo: String!, $ref: String!) {
  repository(owner: $owner, name: $repo) {
    ref(qualifiedName: $ref) {
      target { ... on Commit { oid messageHeadline parents(first: 2) { nodes { oid } } } }
    }
  }
}`;

interface CommitResponse {
  readonly createCommitOnBranch: { readonly commit: { readonly oid: string } };
}

interface BranchResponse {
  readonly repository: {
    readonly ref: {
      readonly target: {
        readonly oid: string;
        readonly messageHeadline: string;
        readonly parents: { readonly nodes: readonly { readonly oid: string }[] };
      };
    } | null;
  };
}

/**
 * Commits files to a branch in one step, signed by GitHub. Returns the commit; undefined: somebody pushed in between.
 */
export async function commitFiles(github: GitHub, commit: FilesToCommit): Promise<string | undefined> {
  const { place } = github;
  const additions = [...commit.files].map(([path, content]) => ({
    path,
    contents: Buffer.from(content).toString('base64'),
  }));
  const input = {
    branch: { repositoryNameWithOwner: `${place.owner}/${place.repo}`, branchName: commit.branch },
    expectedHeadOid: commit.expectedHead,
    message: { headline: commit.headline },
    fileChanges: { additions },
  };
  try {
    const made = await sendGraphql<CommitResponse>(github, COMMIT, { input });
    return made.createCommitOnBranch.commit.oid;
  } catch (e) {
    if (!(e instanceof GitHubRequestError && e.type === 'STALE_DATA')) throw e;
    return findOwnCommit(github, commit);
  }
}

/** The commit of an attempt whose answer was lost. The retry then finds the branch moved by that very commit. */
async function findOwnCommit(
  github: GitHub,
  { branch, expectedHead, headline }: FilesToCommit,
): Promise<string | undefined> {
  const { repository } = await sendGraphql<BranchResponse>(github, HEAD, {
    ...github.place,
    ref: `refs/heads/${branch}`,
  });
  const head = repository.ref?.target;
  const parents = head?.parents.nodes.map((parent) => parent.oid) ?? [];
  const ours = head?.messageHeadline === headline && parents.length === 1 && parents[0] === expectedHead;
  return ours ? head.oid : undefined;
}
