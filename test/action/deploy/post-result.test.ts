import { describe, expect, it } from 'vitest';
import type { DeploymentResult } from '../../../action/deploy/deployment-context.ts';
import { postResult } from '../../../action/deploy/post-result.ts';
import { readPullRequest } from '../../../action/github/pull-request.ts';
import type { Inputs } from '../../../action/inputs.ts';
import type { Job } from '../../../action/job.ts';
import type { Runner } from '../../../action/runner.ts';
import { BOT, connected, REPOSITORY, SHA } from '../github/connect-fake-github.ts';

const ALL = { checks: 'write', contents: 'write', deployments: 'write', 'pull-requests': 'write' } as const;
const APP = { contents: 'write', 'pull-requests': 'write' } as const;
const BASE = { sha: 'b'.repeat(40), ref: 'trunk' };

/** Posts that the endpoint of pull requests 7 and 8, merged in this order to `trunk`, has failed. */
async function postFailure(commitToken: string | undefined, changes: readonly Partial<DeploymentResult>[] = [{}]) {
  const pulls = [7, 8].map((number) => ({
    ...{ number, title: `Change ${number}`, base: BASE, mergedAs: [String(number).repeat(40)] },
    head: { sha: SHA, ref: `change-${number}` },
  }));
  const tokens = { ours: { login: BOT, permissions: ALL }, app: { login: 'acme[bot]', permissions: APP } };
  const { github, fake } = await connected({ pulls, tokens });
  const [earlier, pull] = [await readPullRequest(github, 7), await readPullRequest(github, 8)];
  const result: DeploymentResult = {
    ...{ endpoint: 'iris', environment: 'staging', state: 'failed', causes: ['It is ill', 'More of it'] },
    ...{ url: undefined, runUrl: undefined, diagnostics: [], pull, earlier: [earlier] },
  };
  const runner: Partial<Runner> = { apiUrl: fake.url, repository: REPOSITORY, sha: SHA, job: 'deploy' };
  const inputs: Partial<Inputs> = { project: '.', revert: true, commitToken };
  const job = { inputs, runner, signal: new AbortController().signal } as Job;
  const results = changes.map((change) => ({ ...result, ...change }));
  await postResult({ environment: 'staging', results }, { job, github });
  return {
    reverts: fake.world.pulls.slice(2).map(({ title, base }) => ({ title, base })),
    told: (number: number) => fake.world.comments.find((c) => c.on === number)?.body ?? '',
  };
}

describe('a failed deployment of two merges', () => {
  it('is reported to both, and reverts the last one, whose checks wait', async () => {
    const { reverts, told } = await postFailure(undefined);
    expect(reverts).toEqual([{ title: 'Revert "Change 8" (#8)', base: BASE }]);
    expect(told(7)).toContain(
      '<br>`It is ill`<br>`pull request #8 changed it too, later, and is deployed with this one`',
    );
    expect(told(7)).not.toContain('Reverted');
    expect(told(8)).toMatch(/Reverted by \S+\/pull\/9\. To start the checks .*Approve workflows to run/);
    expect(told(8)).toContain('#7 changed it too, earlier');
  });

  it.each([
    ['app', /Reverted by \S+\/pull\/9`/],
    ['expired', /Reverted by \S+\/pull\/9\. To start the checks/],
  ])('is reverted with the token for commits, or else with that of the job: %s', async (token, words) => {
    const { reverts, told } = await postFailure(token);
    expect(reverts).toHaveLength(1);
    expect(told(8)).toMatch(words);
  });
});

describe('a failed removal', () => {
  const removal = { isRemoval: true, endpoint: 'wine' } as const;

  it('is not reverted, because it must be continued', async () => {
    const { reverts, told } = await postFailure(undefined, [removal]);
    expect(reverts).toEqual([]);
    expect(told(8)).toContain('**failed**, the removal may be incomplete');
    expect(told(8)).not.toContain('Reverted');
  });

  it('of a merge whose deployment failed too is reported with what the revert does to it', async () => {
    const { reverts, told } = await postFailure(undefined, [{}, removal]);
    expect(reverts).toHaveLength(1);
    expect(told(8)).toMatch(/`iris`.*`Reverted by \S+\/pull\/9/);
    expect(told(8)).toMatch(/`wine`.*\/pull\/9.* reverts the merge, so its merge deploys the endpoint again/);
  });
});
