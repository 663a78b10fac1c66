import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BOT, connected, REPOSITORY, SHA } from '../github/connect-fake-github.ts';
import { runStep } from '../run-action.ts';
import { makeRepository } from './repository.ts';

const IRIS = 'name: iris\nconfig: {served_entities: [{entity_name: iris, entity_version: "2"}]}\n';

it('tells the pull request what became of an endpoint in every environment, though nothing could begin', async () => {
  const workspace = mkdtempSync(join(tmpdir(), 'davit-outage-'));
  const repository = makeRepository(workspace);
  repository.write({ 'environments/staging.yaml': '[', 'environments/production.yaml': '[' });
  repository.commit();
  repository.write({ 'endpoints/iris.yaml': IRIS });
  const sha = repository.commit();
  const { fake } = await connected({
    pulls: [{ number: 7, head: { sha: SHA }, mergedAs: [sha] }],
    branches: { main: sha },
    tokens: { ours: { login: BOT } },
    jobs: { test: { checks: 'write', contents: 'write', deployments: 'write', 'pull-requests': 'write' } },
  });
  const { code, commands, log } = await runStep({
    inputs: { command: 'deploy', environments: 'staging production', 'github-token': 'ours', revert: 'true' },
    workspace,
    eventName: 'push',
    env: { GITHUB_API_URL: fake.url, GITHUB_REPOSITORY: REPOSITORY, GITHUB_SHA: sha, GITHUB_REF: 'refs/heads/main' },
  });
  expect(code, log).toBe(1);
  expect(commands.at(-1)).toMatch(/^::error::staging: Cannot use environment "staging".*%0Aproduction: Cannot use /);
  const body = fake.world.comments.find((c) => c.on === 7)?.body ?? '';
  expect(body).toContain('### staging: 1 stopped');
  expect(body).toMatch(/\| `iris` \| `staging` \| \*\*stopped\*\*.*Cannot use environment "staging"/);
  expect(body).toMatch(/\| `iris` \| `production` \| waiting .*`it is not deployed to staging`/);
  expect([fake.world.deployments, fake.world.pulls.length]).toEqual([[], 1]); // no record, and no revert
  expect(fake.world.checkRuns.map((c) => [c.name, c.conclusion])).toEqual([
    ['davit: staging', 'failure'],
    ['davit: production', 'failure'],
  ]);
});
