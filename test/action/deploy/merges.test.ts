// Every way in which reviewed changes reach the branch: with real Git repositories and a GitHub in memory.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addEarlierPullRequests } from '../../../action/deploy/add-earlier-pull-requests.ts';
import type { DeploymentResult } from '../../../action/deploy/deployment-context.ts';
import { makeReviewFinder } from '../../../action/deploy/find-review.ts';
import { selectDeployments } from '../../../action/deploy/select-deployments.ts';
import type { Job } from '../../../action/job.ts';
import { SILENT } from '../../../system/progress.ts';
import { BOT, connected, REPOSITORY } from '../github/connect-fake-github.ts';
import { runStepInProcess } from '../run-action.ts';
import { makeRepository } from './repository.ts';

const file = (name: string, version: string, more = '') =>
  `name: ${name}\nconfig:\n  served_entities:\n    - entity_name: ${name}\n      entity_version: "${version}"\n${more}`;

/** A repository whose two endpoints are deployed from its first commit. */
function start(branch = 'main') {
  const root = mkdtempSync(join(tmpdir(), 'davit-merges-'));
  const repository = makeRepository(root, branch);
  const { git, write, commit } = repository;
  const files = { 'endpoints/iris.yaml': file('iris', '1'), 'endpoints/wine.yaml': file('wine', '1') };
  write({ ...files, 'environments/staging.yaml': '[' });
  const first = commit();
  /** Commits each of the changes to a branch of its own, and returns its head. */
  const branchOff = (number: number, ...changes: readonly Parameters<typeof write>[0][]) => {
    git('checkout', '--quiet', '-b', `change-${number}`, branch);
    for (const change of changes) {
      write(change);
      commit(`Change ${number}`);
    }
    const head = git('rev-parse', 'HEAD');
    git('checkout', '--quiet', branch);
    return head;
  };
  const mergeCommit = (number: number) => {
    git('merge', '--quiet', '--no-ff', '--message', `Merge #${number}`, `change-${number}`);
    return git('rev-parse', 'HEAD');
  };
  const squash = (number: number) => {
    git('merge', '--quiet', '--squash', `change-${number}`);
    return commit(`Squash #${number}`);
  };
  const rebase = (number: number) => {
    const before = git('rev-parse', 'HEAD');
    const picked = git('rev-list', '--reverse', `${before}..change-${number}`).split('\n');
    git('cherry-pick', '--no-ff', ...picked);
    return git('rev-list', '--reverse', `${before}..HEAD`).split('\n');
  };
  return { ...repository, root, first, branchOff, mergeCommit, squash, rebase };
}

const recordOf = (endpoint: string, sha: string) => ({
  ...{ sha, environment: 'staging', task: `davit:${endpoint}`, states: ['in_progress', 'success'] },
  payload: { endpoint, action: 'deploy', runId: 1, runAttempt: 1, host: 'h', user: 'u' },
});

interface Merged {
  readonly number: number;
  readonly head: string;
  /** As GitHub knows it: the commits that the merge made, its own last. */
  readonly as: readonly string[];
}

const pullOf = ({ number, head, as }: Merged, branch = 'main') => ({
  ...{ number, title: `Change ${number}`, mergedAs: [...as], base: { ref: branch } },
  head: { sha: head, ref: `change-${number}` },
});
const reviewOf = ({ number, head }: Merged) => ({
  sha: head,
  text: `review of #${number}`,
  externalId: 'davit-review',
});

/** What a run at the head of the branch would deploy, with the reviews that it finds. */
async function select(
  { root, first }: { readonly root: string; readonly first: string },
  merged: readonly Merged[],
  before?: string,
  failed?: string,
) {
  const after = failed === undefined ? [] : [{ ...recordOf('iris', failed), states: ['in_progress', 'failure'] }];
  const deployments = [recordOf('iris', first), recordOf('wine', first), ...after];
  const pulls = merged.map((m) => pullOf(m));
  const { github } = await connected({ deployments, pulls, checkRuns: merged.map(reviewOf) });
  const { signal } = new AbortController();
  const place = { root, endpoints: 'endpoints' };
  const request = { place, environment: { name: 'staging' }, signal, progress: SILENT };
  const job = { runner: { runId: 5, event: { before } } } as Job;
  const scope = { github, request, given: [], after: undefined, findBranchHead: () => Promise.resolve(undefined), job };
  const { candidates } = await selectDeployments(scope, []);
  const findReview = makeReviewFinder(github, 'main', { root, signal });
  return Promise.all(
    candidates.map(async ({ name, commit, earlier: commits, hold }) => {
      const { pull, text: review } = await findReview(commit);
      const { earlier = [] } = await addEarlierPullRequests({ pull } as DeploymentResult, commits, { findReview });
      return { name, hold: hold?.state, review, earlier: earlier.map((p) => p.number) };
    }),
  );
}

const iris = { name: 'iris', hold: undefined, earlier: [] };
const wine = { ...iris, name: 'wine' };

/** Each test starts Git some thirty times. */
const LIMIT = { timeout: 120_000 };

describe('the review of a merge', LIMIT, () => {
  const change = { 'endpoints/iris.yaml': file('iris', '2') };
  const lock = { 'endpoints/iris.lock': '{}' };
  const other = { 'README.md': 'x' };

  it.each(['mergeCommit', 'squash', 'rebase'] as const)('is found after each %s of one push', async (kind) => {
    const repository = start();
    const heads = [
      repository.branchOff(7, change, lock, other),
      repository.branchOff(8, { 'endpoints/wine.yaml': file('wine', '2') }),
    ];
    repository.write({ 'docs.md': 'the branch has moved' });
    repository.commit();
    const merged = heads.map((head, i) => ({ number: 7 + i, head, as: [repository[kind](7 + i)].flat() }));
    expect(merged.map(({ as }) => as.length)).toEqual(kind === 'rebase' ? [3, 1] : [1, 1]);
    expect(await select(repository, merged, repository.first)).toEqual([
      { ...iris, review: 'review of #7' },
      { ...wine, review: 'review of #8' },
    ]);
  });

  it('is found after merges that a person has made and pushed', async () => {
    const repository = start();
    const seven = repository.branchOff(7, change);
    const eight = repository.branchOff(8, { 'endpoints/wine.yaml': file('wine', '2') });
    repository.mergeCommit(7);
    repository.mergeCommit(8);
    // GitHub takes a pull request for merged when the branch contains its head. No other commit of the branch is its own.
    const merged = [{ number: 7, head: seven, as: [seven] }, { number: 8, head: eight, as: [eight] }]; // prettier-ignore
    expect(await select(repository, merged, repository.first)).toEqual([
      { ...iris, review: 'review of #7' },
      { ...wine, review: 'review of #8' },
    ]);
  });

  it('is none for a commit that was pushed without a pull request', async () => {
    const repository = start();
    repository.write(change);
    repository.commit();
    expect(await select(repository, [])).toEqual([{ ...iris, review: undefined }]);
  });
});

describe('several merges in one push', LIMIT, () => {
  it('of the same endpoint are deployed by the review of the last one, and all are known', async () => {
    const repository = start();
    const { git, first } = repository;
    const seven = repository.branchOff(7, { 'endpoints/iris.yaml': file('iris', '2') });
    const one = { number: 7, head: seven, as: [repository.squash(7)] };
    const eight = repository.branchOff(8, { 'endpoints/iris.lock': '{}' });
    const other = { number: 8, head: eight, as: [repository.mergeCommit(8)] };
    const both = [{ ...iris, review: 'review of #8', earlier: [7] }];
    expect(await select(repository, [one, other], first)).toEqual(both);
    // Also where the run of the first merge was cancelled, and that of the second one knows only its own push.
    expect(await select(repository, [one, other], git('rev-parse', 'HEAD~1'))).toEqual(both);
    // Or failed, as this one did before it was started again.
    for (const failed of ['HEAD~1', 'HEAD'])
      expect(await select(repository, [one, other], first, git('rev-parse', failed))).toEqual(both);
    repository.write({ 'endpoints/iris.lock': '{"x": 1}' });
    repository.commit();
    expect(await select(repository, [one, other], first)).toEqual([{ ...iris, review: undefined, earlier: [8, 7] }]);
  });

  it('that take each other back are superseded, and nothing else is', async () => {
    const repository = start();
    const { first } = repository;
    const seven = repository.branchOff(7, { 'endpoints/iris.yaml': file('iris', '2') });
    const one = { number: 7, head: seven, as: [repository.squash(7)] };
    const eight = repository.branchOff(8, { 'endpoints/iris.yaml': file('iris', '1') });
    const back = { number: 8, head: eight, as: [repository.squash(8)] };
    expect(await select(repository, [one, back], first)).toEqual([
      { ...iris, hold: 'superseded', review: 'review of #8', earlier: [7] },
    ]);
    expect(await select(repository, [one, back])).toEqual([]);
    expect(await select(repository, [one, back], '0'.repeat(40))).toEqual([]);
    expect(await select(repository, [one, back], 'f'.repeat(40))).toEqual([]);
  });
});

it('tells every pull request of a push its own result, and a commit without one at the commit', LIMIT, async () => {
  const repository = start('trunk');
  const merged = [
    { number: 7, changes: { 'endpoints/iris.yaml': file('iris', '2') } },
    { number: 8, changes: { 'endpoints/wine.yaml': file('wine', '2') } },
    { number: 9, changes: { 'endpoints/iris.yaml': file('iris', '2', 'tags: []\n') } },
  ].map(({ number, changes }) => {
    const head = repository.branchOff(number, changes);
    return { number, head, as: [repository.squash(number)] };
  });
  const withdrawn = [
    { number: 10, changes: { 'endpoints/bee.yaml': file('bee', '1') } },
    { number: 11, changes: { 'endpoints/bee.yaml': undefined } },
  ].map(({ number, changes }) => {
    const head = repository.branchOff(number, changes);
    return { number, head, as: [repository.squash(number)] };
  });
  repository.write({ 'endpoints/owl.yaml': file('owl', '1') });
  const sha = repository.commit('pushed by hand');
  const { fake } = await connected({
    pulls: [...merged, ...withdrawn].map((m) => pullOf(m, 'trunk')),
    checkRuns: merged.map(reviewOf),
    deployments: [recordOf('iris', repository.first), recordOf('wine', repository.first)],
    branches: { trunk: sha },
    tokens: { ours: { login: BOT } },
    jobs: { test: { checks: 'write', contents: 'write', deployments: 'write', 'pull-requests': 'write' } },
  });
  // The environment has errors, so that the step ends before it needs the engine.
  const step = await runStepInProcess({
    inputs: { command: 'deploy', environments: 'staging', 'github-token': 'ours' },
    workspace: repository.root,
    eventName: 'push',
    event: { before: repository.first },
    env: { GITHUB_API_URL: fake.url, GITHUB_REPOSITORY: REPOSITORY, GITHUB_SHA: sha, GITHUB_REF: 'refs/heads/trunk' },
  });
  expect(step.code, step.log).toBe(1);
  const commentOf = (number: number) => fake.world.comments.find((c) => c.on === number)?.body ?? '';
  for (const { number } of merged) expect(commentOf(number)).toContain('### staging: 1 stopped');
  expect([commentOf(7), commentOf(8), commentOf(9)].map((body) => /\| `(\w+)` \|/.exec(body)?.[1])).toEqual([
    'iris',
    'wine',
    'iris',
  ]);
  expect(commentOf(7)).toContain('pull request #9 changed it too, later');
  expect(commentOf(9)).toContain('#7 changed it too, earlier');
  expect(fake.world.checkRuns.at(-1)).toMatchObject({ sha, title: 'staging: 3 stopped, 1 superseded' });
  expect(step.summary).toContain('`owl`');
  for (const { number } of withdrawn)
    expect(commentOf(number)).toContain('the same push added the endpoint and removed it again');
  expect(commentOf(10)).toContain('`pull request #11 changed it too, later`');
  expect(commentOf(11)).toContain('`#10 changed it too, earlier`');
});
