// What a push to the branch that is deployed says in open pull requests, by the action's own step and a GitHub in memory.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import '../../action/commands/outdated.ts'; // loaded before the time of the first test begins
import { insertOutdated, renderExpectation, renderOutdated } from '../../review/outdated-review.ts';
import { REPORT_MARKER } from '../../review/render-report.ts';
import { digestProgram } from '../../engine/digest-program.ts';
import type { Seed } from './github/fake/seed.ts';
import { type FakeGitHub, startFakeGitHub } from './github/fake/server.ts';
import { type ReviewedText, makeReviewedText } from './reviewed-text.ts';
import { runStepInProcess, TOKEN } from './run-action.ts';

type Files = Readonly<Record<string, string>>;

const [BEFORE, AFTER, LATER, HEAD] = ['1', '2', '3', 'a'].map((digit) => digit.repeat(40)) as [string, string, string, string]; // prettier-ignore
const BOT = 'github-actions[bot]';
const MAIN: Files = {
  'endpoints/iris.yaml': 'iris 1',
  'endpoints/iris.lock': 'lock 1',
  'environments/local.yaml': 'local 1',
  'environments/other.yaml': 'other 1',
  '.github/workflows/davit.yaml': 'uses: OWNER/davit@1',
  'README.md': 'words',
};
const OWN: Files = { ...MAIN, 'endpoints/iris.yaml': 'iris 2', 'endpoints/iris.lock': 'lock 2' };
const UPGRADED = { '.github/workflows/davit.yaml': 'uses: OWNER/davit@2' };

interface World {
  readonly reviewed?: Partial<ReviewedText>;
  readonly conclusion?: string;
  readonly seed?: Partial<Seed>;
}

/** Pull request 7 changes `iris` and was reviewed at AFTER's parent; the comment has its review. */
async function open({ reviewed = {}, conclusion = 'success', seed = {} }: World = {}): Promise<FakeGitHub> {
  const text = await makeReviewedText({ endpoints: ['iris'], files: OWN, ...reviewed });
  const github = await startFakeGitHub({
    repository: 'octo/models',
    tokens: {
      [TOKEN]: { login: BOT, permissions: { checks: 'write', contents: 'read', 'pull-requests': 'write' } },
    },
    pulls: [{ number: 7, head: { sha: HEAD } }],
    branches: { main: AFTER },
    contents: { [BEFORE]: MAIN, [AFTER]: MAIN },
    comments: [{ on: 7, login: BOT, body: `${REPORT_MARKER}\n### 1 endpoint: 1 rolling\n` }],
    checkRuns: [{ sha: HEAD, conclusion, text, externalId: 'davit-review', title: '1 endpoint', summary: 'rolling' }],
    ...seed,
  });
  onTestFinished(async () => {
    await github.close();
    expect(github.breaches).toEqual([]);
  });
  return github;
}

async function push(github: FakeGitHub, before = BEFORE, after = AFTER, inputs: Files = {}) {
  const step = await runStepInProcess({
    inputs: { command: 'outdated', 'github-token': TOKEN, ...inputs },
    workspace: mkdtempSync(join(tmpdir(), 'davit-outdated-')),
    event: { before, repository: { full_name: 'octo/models', default_branch: 'main' } },
    eventName: 'push',
    env: { GITHUB_API_URL: github.url, GITHUB_SHA: after, GITHUB_REF: 'refs/heads/main' },
  });
  expect(step.code, step.log).toBe(0);
  return { ...step, checks: github.world.checkRuns, comment: github.world.comments[0]?.body };
}

const pushed = (files: Files) => ({ contents: { [BEFORE]: MAIN, [AFTER]: { ...MAIN, ...files } } });
const OLD = { program: 'd'.repeat(64), version: '0.0.1' };

describe('a push', () => {
  it('with another release of Davit is said in the check, which stops the merge, and in the comment', async () => {
    const github = await open({ reviewed: OLD, seed: pushed(UPGRADED) });
    const { checks, comment } = await push(github);
    expect(checks).toHaveLength(2);
    expect(checks[1]).toMatchObject({
      ...{ sha: HEAD, name: 'davit', status: 'completed', conclusion: 'action_required', externalId: 'davit-outdated' },
      title: expect.stringMatching(
        /^Out of date: it was reviewed with Davit 0\.0\.1, and Davit \S+ would deploy it$/,
      ) as string,
    });
    expect(comment).toMatch(
      /^<!-- davit:report v1 -->\n<!-- davit:outdated -->\n\n🕓 \*\*This review is out of date\*\*/,
    );
    expect(comment).toContain('### 1 endpoint: 1 rolling');
    const again = await push(github);
    expect([again.checks.length, again.comment], 'a second run says nothing more').toEqual([2, comment]);
  });

  it.each<[string, Files, readonly string[]]>([
    ['an environment', { 'environments/local.yaml': 'local 2' }, ['environments/local.yaml has changed since']],
    ['the endpoint itself', { 'endpoints/iris.yaml': 'iris 3' }, ['endpoints/iris.yaml has changed since']],
    ['an environment that was not reviewed', { 'environments/other.yaml': 'x' }, []],
    ['another endpoint', { 'endpoints/wine.yaml': 'x' }, []],
    ['the same as the pull request', { 'endpoints/iris.yaml': 'iris 2', 'endpoints/iris.lock': 'lock 2' }, []],
    ['workflows, and not the release', { '.github/workflows/x.yaml': 'x' }, []],
  ])('with a change of %s', async (_, files, causes) => {
    const { checks } = await push(await open({ seed: pushed(files) }));
    expect(checks.slice(1).map((c) => c.title)).toEqual(causes.map((cause) => `Out of date: ${cause}`));
  });

  it('that is forced back to an older commit takes away the files that a review was made from', async () => {
    const newer = { 'environments/local.yaml': 'local 2' };
    const contents = { [BEFORE]: { ...MAIN, ...newer }, [AFTER]: MAIN };
    const mergeBases = { [BEFORE]: AFTER, [AFTER]: AFTER };
    const github = await open({ reviewed: { files: { ...OWN, ...newer } }, seed: { contents, mergeBases } });
    const { checks } = await push(github);
    expect(checks.at(-1)?.title).toBe('Out of date: environments/local.yaml has changed since');
  });

  it.each([
    ['an old one is found to be out of date', 'local 2', []],
    ['an old one counts again', 'local 1', ['local 2']],
  ])('leaves alone a review that is written while %s', async (_, now, marks) => {
    const text = await makeReviewedText({ endpoints: ['iris'], files: OWN });
    const mark = (local: string) =>
      renderExpectation({ program: 'd'.repeat(64), files: { 'environments/local.yaml': local } });
    const checkRuns = [
      { sha: HEAD, text, externalId: 'davit-review', title: 't', summary: 's' },
      ...marks.map((local) => ({ sha: HEAD, text: mark(local), externalId: 'davit-outdated' })),
    ];
    const contents = { [BEFORE]: { ...MAIN, 'environments/local.yaml': 'local 3' }, [AFTER]: { ...MAIN, 'environments/local.yaml': now, ...UPGRADED } }; // prettier-ignore
    const github = await open({ seed: { contents, checkRuns } });
    const newer = { ...github.world.checkRuns[0]!, id: github.world.nextId(), text: 'newer' };
    github.afterNext('checks/list-for-ref', () => github.world.checkRuns.push(newer));
    const { checks } = await push(github);
    expect(checks.at(-1)?.text).toBe('newer');
  });

  it('with nothing that a review depends on asks GitHub only for what it changes', async () => {
    const github = await open({ reviewed: OLD, seed: pushed({ 'README.md': 'other' }) });
    await push(github);
    const [forwards, backwards] = ['repos/compare-commits-with-basehead', 'repos/compare-commits-with-basehead'];
    expect(github.requests.map((r) => r.operation)).toEqual([forwards, backwards]);
  });

  it('leaves alone what stops a merge already, has no plan, or goes to another branch', async () => {
    const other = { pulls: [{ number: 7, head: { sha: HEAD }, base: { ref: 'other' } }] };
    for (const world of [
      { conclusion: 'failure' },
      { seed: { checkRuns: [] } },
      { seed: { checkRuns: [{ sha: HEAD, text: 'no plan', externalId: 'davit-review' }] } },
      { seed: other },
    ]) {
      const seed = { ...pushed(UPGRADED), ...world.seed };
      const { checks } = await push(await open({ reviewed: OLD, ...world, seed }));
      expect(checks.filter((c) => c.externalId === 'davit-outdated')).toEqual([]);
    }
  });

  it('that takes the change back makes the review count again, with its plans', async () => {
    const text = await makeReviewedText({ endpoints: ['iris'], files: OWN });
    const mark = { program: await digestProgram(), files: { 'environments/local.yaml': 'local 2' } };
    const checkRuns = [
      { sha: HEAD, text, externalId: 'davit-review', title: '1 endpoint', summary: 'rolling' },
      { sha: HEAD, text: renderExpectation(mark), externalId: 'davit-outdated', conclusion: 'action_required' },
    ];
    const review = '### 1 endpoint: 1 rolling\n';
    const comments = [
      { on: 7, login: BOT, body: `${REPORT_MARKER}\n${insertOutdated(review, renderOutdated(['x']))}` },
    ];
    const contents = { [BEFORE]: { ...MAIN, 'environments/local.yaml': 'local 2' }, [AFTER]: MAIN };
    const { checks, comment } = await push(await open({ seed: { contents, checkRuns, comments } }));
    expect(checks.at(-1)).toMatchObject({
      conclusion: 'success',
      text,
      externalId: 'davit-review',
      title: '1 endpoint',
    });
    expect(comment).toBe(`${REPORT_MARKER}\n${review}`);
  });

  it('whose run is late says nothing of a release that is not the newest', async () => {
    const contents = { ...pushed(UPGRADED).contents, [LATER]: { ...MAIN, '.github/workflows/davit.yaml': '3' } };
    const { checks } = await push(await open({ reviewed: OLD, seed: { contents, branches: { main: LATER } } }));
    expect(checks).toHaveLength(1);
  });

  it('goes on after a pull request that cannot be updated, and fails', async () => {
    const second = 'b'.repeat(40);
    const text = await makeReviewedText({ endpoints: ['iris'], files: OWN, ...OLD });
    const review = { text, externalId: 'davit-review', title: 't', summary: 's' };
    const github = await open({
      seed: {
        ...pushed(UPGRADED),
        pulls: [
          { number: 7, head: { sha: HEAD } },
          { number: 8, head: { sha: second } },
        ],
        checkRuns: [{ sha: HEAD, ...review }, { sha: second, ...review }], // prettier-ignore
        faults: [{ operation: 'checks/create', status: 422, message: 'no', times: 1 }],
      },
    });
    await expect(push(github)).rejects.toThrow('Cannot update the review of #7');
    expect(github.world.checkRuns.map((c) => c.sha)).toEqual([HEAD, second, second]);
  });
});
