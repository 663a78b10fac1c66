import { describe, expect, it } from 'vitest';
import {
  findMergedPullRequest,
  findOpenPullRequest,
  isOwnBranch,
  openRevert,
  readPullRequest,
} from '../../../action/github/pull-request.ts';
import { readWorkflowRun } from '../../../action/github/workflow-run.ts';
import { connected, SHA } from './connect-fake-github.ts';

const MERGE = 'c'.repeat(40);
const merged = { number: 7, title: 'Add "iris"', head: { sha: SHA }, mergedAs: [MERGE], labels: ['davit: destroy'] };

describe('pull requests', () => {
  it('reads one, with its labels and whose branch it is', async () => {
    const fork = { number: 8, head: { sha: SHA, repository: 'mallory/models' } };
    const { github } = await connected({ pulls: [{ ...merged, mergedAs: [] }, fork] });
    const [own, foreign] = [await readPullRequest(github, 7), await readPullRequest(github, 8)];
    expect(own).toMatchObject({ number: 7, state: 'open', labels: ['davit: destroy'], mergedAs: undefined });
    expect([isOwnBranch(github, own), isOwnBranch(github, foreign)]).toEqual([true, false]);
  });

  it('finds what a commit was merged by', async () => {
    const rebased = ['d'.repeat(40), 'e'.repeat(40)];
    const other = { number: 9, head: { sha: 'b'.repeat(40) }, mergedAs: rebased };
    const { github } = await connected({ pulls: [merged, other] });
    expect((await findMergedPullRequest(github, MERGE, 'main'))?.number).toBe(7);
    expect((await findMergedPullRequest(github, rebased[0]!, 'main'))?.number).toBe(9);
    expect(await findMergedPullRequest(github, MERGE, 'release')).toBeUndefined();
    expect(await findMergedPullRequest(github, 'f'.repeat(40), 'main')).toBeUndefined();
  });

  it('takes an open pull request for no merge', async () => {
    const { github } = await connected();
    expect(await findMergedPullRequest(github, SHA, 'main')).toBeUndefined();
  });

  it('finds the open one of a fork by its branch and its commit', async () => {
    const head = { sha: SHA, ref: 'main', repository: 'mallory/models' };
    const pulls = [merged, { number: 8, head, base: { ref: 'fork-8' } }, { number: 9, head }];
    const { github } = await connected({ pulls });
    const sought = { owner: 'mallory', branch: 'main', sha: SHA };
    const numbers = ['main', 'fork-8', undefined].map(
      async (b) => (await findOpenPullRequest(github, sought, b))?.number,
    );
    expect(await Promise.all(numbers)).toEqual([9, 8, 8]);
    expect(await findOpenPullRequest(github, { ...sought, sha: 'b'.repeat(40) }, 'main')).toBeUndefined();
  });

  it('opens one that takes a merged one back', async () => {
    const { github, world } = await connected({ pulls: [merged] });
    const url = await openRevert(github, await readPullRequest(github, 7), 'It failed');
    expect(url).toBe('https://github.com/octo/models/pull/8');
    expect(world.pulls[1]).toMatchObject({ number: 8, title: 'Revert "Add "iris"" (#7)', mergedAs: [] });
  });

  it('says why it may not', async () => {
    const { github } = await connected({ pulls: [merged], mayOpenPullRequests: false });
    const pull = await readPullRequest(github, 7);
    await expect(openRevert(github, pull, '')).rejects.toThrow(/not permitted to create or approve pull requests/);
  });
});

describe('readWorkflowRun', () => {
  it('reads how a run stands, and knows that there is none', async () => {
    const { github } = await connected({ runs: [{ id: 41, status: 'completed', attempt: 2 }] });
    expect(await readWorkflowRun(github, 41)).toMatchObject({ status: 'completed', attempt: 2 });
    expect(await readWorkflowRun(github, 42)).toBeUndefined();
  });
});
