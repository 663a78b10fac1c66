// The check of a merge queue, by the action's own step and a GitHub in memory.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import '../../action/commands/queue.ts'; // loaded before the time of the first test begins
import type { Seed } from './github/fake/seed.ts';
import { startFakeGitHub } from './github/fake/server.ts';
import { type ReviewedText, makeReviewedText } from './reviewed-text.ts';
import { runStepInProcess, TOKEN } from './run-action.ts';

type Files = Readonly<Record<string, string>>;

const BASE = 'b'.repeat(40);
const GROUP = 'c'.repeat(40);
const declare = (name: string, version = 1) =>
  `name: ${name}\nconfig:\n  served_entities:\n    - { entity_name: ${name}, entity_version: "${version}" }\n`;
const MAIN: Files = {
  'endpoints/iris.yaml': declare('iris'),
  'endpoints/iris.lock': 'iris 1',
  'endpoints/wine.yaml': declare('wine'),
  'endpoints/wine.lock': 'wine 1',
  'environments/local.yaml': 'name: local\ntarget: local\n',
};
const IRIS: Files = { 'endpoints/iris.yaml': declare('iris', 2), 'endpoints/iris.lock': 'iris 2' };
const WINE: Files = { 'endpoints/wine.yaml': declare('wine', 2), 'endpoints/wine.lock': 'wine 2' };

interface Queued {
  readonly number: number;
  /** Undefined: there is no review. */
  readonly reviewed?: Partial<ReviewedText> & Pick<ReviewedText, 'endpoints'>;
  /** Default: what Davit writes. */
  readonly text?: string;
  readonly conclusion?: string;
  readonly base?: string;
}

interface Group {
  readonly files: Files;
  readonly pulls: readonly Queued[];
  readonly titles?: readonly string[];
  readonly headRef?: string;
  readonly inputs?: Files;
  readonly seed?: Partial<Seed>;
}

const headOf = (number: number) => String(number).repeat(40);

/** Runs the check of a group with these files over `main`; each pull request was reviewed with its own changes alone. */
async function check({ files, pulls, titles = [], headRef, inputs = {}, seed = {} }: Group) {
  const checkRuns = await Promise.all(
    pulls.map(async ({ number, reviewed, text, conclusion = 'success' }) =>
      reviewed === undefined
        ? []
        : [
            {
              sha: headOf(number),
              conclusion,
              externalId: 'davit-review',
              text: text ?? (await makeReviewedText({ files: MAIN, ...reviewed })),
            },
          ],
    ),
  );
  const github = await startFakeGitHub({
    repository: 'octo/models',
    tokens: {
      [TOKEN]: {
        login: 'github-actions[bot]',
        permissions: { checks: 'write', contents: 'read', 'pull-requests': 'read' },
      },
    },
    pulls: pulls.map(({ number, base = 'main' }) => ({ number, head: { sha: headOf(number) }, base: { ref: base } })),
    contents: { [BASE]: MAIN, [GROUP]: { ...MAIN, ...files } },
    messages: { [GROUP]: [...titles] },
    checkRuns: checkRuns.flat(),
    ...seed,
  });
  onTestFinished(async () => {
    await github.close();
    expect(github.breaches).toEqual([]);
  });
  const [first] = pulls;
  const merge_group = {
    ...{ base_sha: BASE, base_ref: 'refs/heads/main', head_sha: GROUP },
    head_ref: headRef ?? `refs/heads/gh-readonly-queue/main/pr-${first?.number ?? 1}-${BASE}`,
  };
  const step = await runStepInProcess({
    inputs: { command: 'queue', 'github-token': TOKEN, ...inputs },
    workspace: mkdtempSync(join(tmpdir(), 'davit-queue-')),
    event: {
      action: 'checks_requested',
      merge_group,
      repository: { full_name: 'octo/models', default_branch: 'main' },
    },
    eventName: 'merge_group',
    env: { GITHUB_API_URL: github.url },
  });
  expect(step.code, step.log).toBe(0);
  return { ...step, check: github.world.checkRuns.findLast((c) => c.sha === GROUP), github };
}

const iris = (more: Partial<Queued> = {}) => ({
  number: 7,
  reviewed: { endpoints: ['iris'], files: { ...MAIN, ...IRIS } },
  ...more,
});
const wine = { number: 8, reviewed: { endpoints: ['wine'], files: { ...MAIN, ...WINE } } };

describe('a merge queue', () => {
  it('gets the required check on its own commit, which is no review, where the group is what was reviewed', async () => {
    const { check: written, outputs, summary } = await check({ files: IRIS, pulls: [iris()] });
    expect(written).toMatchObject({
      ...{ sha: GROUP, name: 'davit', app: 'github-actions', status: 'completed', conclusion: 'success' },
      ...{ title: '1 endpoint as reviewed', externalId: 'davit-queue', text: null },
    });
    expect(outputs['conclusion']).toBe('success');
    expect(summary).toContain('Nothing was validated or previewed again');
  });

  it('passes a group that changes no endpoint, whoever made it', async () => {
    const { check: written } = await check({ files: { 'README.md': 'words' }, pulls: [] });
    expect(written).toMatchObject({ conclusion: 'success', title: 'No endpoint changes' });
  });

  it('knows several pull requests of a group by the titles of their commits', async () => {
    const titles = [
      'Merge pull request #7 from octo/change\n\nIris 2',
      'A wine (of #1) (#8)\n\n* words',
      'no number #9',
    ];
    const group = { files: { ...IRIS, ...WINE }, pulls: [iris(), wine], titles, headRef: 'refs/heads/queue' };
    expect((await check(group)).check).toMatchObject({ conclusion: 'success', title: '2 endpoints as reviewed' });
  });

  it('stops what two pull requests have reviewed one by one, and nobody together', async () => {
    const both = { 'endpoints/iris.yaml': declare('iris', 3), 'endpoints/iris.lock': 'iris 2' };
    const { check: written } = await check({ files: { ...both, ...WINE }, pulls: [iris(), wine], titles: ['x (#8)'] });
    expect(written).toMatchObject({ conclusion: 'failure', title: '1 of 2 endpoints not as reviewed' });
    expect(written?.summary).toBe(
      '- `iris`: `endpoints/iris.yaml is not as it was reviewed in #7`\n\nThe base branch, or a pull request in front in the queue, has other files than those that were reviewed. Update the branch of the pull request: its run reviews the result. Then add it to the queue again.',
    );
  });

  it.each<[string, Files, Queued, string]>([
    [
      'the environment',
      { ...IRIS, 'environments/local.yaml': 'name: local\n' },
      iris(),
      'environments/local.yaml is not',
    ],
    ['the lock', { ...IRIS, 'endpoints/iris.lock': 'other' }, iris(), 'endpoints/iris.lock is not as it was reviewed'],
    ['a removal', { ...WINE }, { number: 8 }, 'no pull request of the group has a review of it'],
    ['no review', IRIS, { number: 7 }, 'no pull request of the group has a review of it'],
    ['a pull request to another branch', IRIS, iris({ base: 'other' }), 'no pull request of the group has a review'],
    ['a review that failed', IRIS, iris({ conclusion: 'failure' }), 'the check of #7 is not a success'],
    [
      'another release of Davit',
      IRIS,
      iris({
        reviewed: { endpoints: ['iris'], files: { ...MAIN, ...IRIS }, program: 'd'.repeat(64), version: '0.0.1' },
      }),
      '#7: it was reviewed with Davit 0.0.1, and Davit',
    ],
  ])('stops a group that differs from the review by %s', async (_, files, pull, cause) => {
    const { check: written } = await check({ files, pulls: [pull] });
    expect(written?.conclusion).toBe('failure');
    expect(written?.summary).toContain(cause);
  });

  it('accepts files below .davit/ in no group', async () => {
    const { check: written } = await check({ files: { '.davit/passphrase': 'x' }, pulls: [iris()] });
    expect(written).toMatchObject({ conclusion: 'failure', title: '1 error' });
  });

  it('compares the endpoints of the reviews where GitHub does not list all changed files', async () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`a/${i}`, 'x']));
    expect((await check({ files: { ...many, ...IRIS }, pulls: [iris()] })).check?.conclusion).toBe('success');
    const other = { ...many, ...IRIS, 'endpoints/iris.lock': 'other' };
    expect((await check({ files: other, pulls: [iris()] })).check?.conclusion).toBe('failure');
    expect((await check({ files: many, pulls: [] })).check?.conclusion).toBe('failure');
  });

  it.each<[string, readonly Queued[]]>([
    ['no review', [iris(), { number: 8 }]],
    ['a review without plans', [iris(), { number: 8, reviewed: wine.reviewed, text: 'no plan' }]],
    ['another base branch', [iris(), { ...wine, base: 'other' }]],
    ['not been found', [iris()]],
  ])('stops a group whose files GitHub does not list, where one of its pull requests has %s', async (_, pulls) => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (__, i) => [`a/${i}`, 'x']));
    const { check: written } = await check({ files: { ...many, ...IRIS, ...WINE }, pulls, titles: ['A wine (#8)'] });
    expect(written?.conclusion).toBe('failure');
    expect(written?.summary).toContain('GitHub does not list all changed files of the group, and #8 has no review');
  });

  it('knows the pull requests of a group of many commits', async () => {
    const titles = [...Array.from({ length: 230 }, (_, i) => `commit ${i}`), 'A wine (#8)'];
    const { check: written } = await check({ files: { ...IRIS, ...WINE }, pulls: [iris(), wine], titles });
    expect(written).toMatchObject({ conclusion: 'success', title: '2 endpoints as reviewed' });
  });

  it('has a check for each project of a repository', async () => {
    const move = (files: Files) =>
      Object.fromEntries(Object.entries(files).map(([path, text]) => [`a/b/${path}`, text]));
    const contents = { [BASE]: move(MAIN), [GROUP]: { ...move({ ...MAIN, ...IRIS }), 'endpoints/x.yaml': 'x' } };
    const review = await makeReviewedText({ endpoints: ['iris'], files: { ...MAIN, ...IRIS } });
    const own = { sha: headOf(7), externalId: 'davit-review', text: review, name: 'davit (a/b)' };
    const { check: written } = await check({
      ...{ files: {}, pulls: [{ number: 7 }], inputs: { project: 'a/b' } },
      seed: { contents, checkRuns: [own] },
    });
    expect(written).toMatchObject({ name: 'davit (a/b)', conclusion: 'success', title: '1 endpoint as reviewed' });
  });
});
