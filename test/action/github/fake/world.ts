import { type Branches, type Commit, openGitBranches, makeMemoryBranches } from './branches.ts';
import type { ParsedSeed } from './seed.ts';

export interface Author {
  readonly login: string;
  readonly type: 'Bot' | 'User';
}

export interface Comment {
  readonly id: number;
  /** The pull request's or issue's number. */
  readonly on: number;
  readonly author: Author;
  body: string;
  minimized: boolean;
}

export interface CheckRun {
  readonly id: number;
  readonly sha: string;
  readonly name: string;
  readonly app: string;
  status: string;
  conclusion: string | null;
  details: string | null;
  title: string | null;
  summary: string | null;
  text: string | null;
  readonly externalId?: string | null;
  readonly annotations: Readonly<Record<string, unknown>>[];
}

export interface Deployment {
  readonly id: number;
  readonly sha: string;
  readonly environment: string;
  readonly task: string;
  readonly payload: unknown;
  readonly creator: Author;
  readonly createdAt: string;
  readonly statuses: Readonly<Record<string, unknown>>[];
}

export interface Issue {
  readonly number: number;
  readonly author: Author;
  title: string;
  body: string;
  state: 'open' | 'closed';
}

export type FakePullRequest = ParsedSeed['pulls'][number];

/** The state of the fake GitHub. Tests read it. */
export interface World {
  readonly repository: string;
  /** The address of its pages. */
  readonly server: string;
  readonly comments: Comment[];
  readonly checkRuns: CheckRun[];
  readonly deployments: Deployment[];
  readonly issues: Issue[];
  readonly attestations: Record<string, ParsedSeed['attestations'][string]>;
  readonly pulls: FakePullRequest[];
  readonly runs: { readonly id: number; status: string; readonly attempt: number; readonly updatedAt?: string }[];
  readonly branches: Branches;
  /** The commits that `createCommitOnBranch` made. */
  readonly commits: Commit[];
  readonly mayOpenPullRequests: boolean;
  readonly nextId: () => number;
}

export function makeWorld(planted: ParsedSeed): World {
  let last = 1000;
  const nextId = () => ++last;
  return {
    repository: planted.repository,
    server: planted.server,
    comments: planted.comments.map(({ login, ...comment }) => ({
      ...comment,
      id: nextId(),
      author: makeAuthor(login),
    })),
    checkRuns: planted.checkRuns.map((run) => ({
      ...run,
      id: nextId(),
      status: 'completed',
      details: null,
      annotations: [],
    })),
    deployments: planted.deployments.map(({ login, states, ...deployment }) => ({
      ...deployment,
      id: nextId(),
      creator: makeAuthor(login),
      statuses: states.map((state) => ({ state })),
    })),
    issues: planted.issues.map(({ login, ...issue }) => ({ ...issue, author: makeAuthor(login), state: 'open' })),
    attestations: planted.attestations,
    pulls: planted.pulls,
    runs: planted.runs,
    branches: planted.git === undefined ? makeMemoryBranches(planted) : openGitBranches(planted.git),
    commits: [],
    mayOpenPullRequests: planted.mayOpenPullRequests,
    nextId,
  };
}

/** Makes an author. A login such as `github-actions[bot]` belongs to an app. */
export function makeAuthor(login: string): Author {
  return { login, type: login.endsWith('[bot]') ? 'Bot' : 'User' };
}
