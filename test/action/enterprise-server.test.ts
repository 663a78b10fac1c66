// The steps that talk to GitHub, on a GitHub Enterprise Server, whose API is at /api/v3, and in a branch that is not main.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { codePath } from '../../system/code.ts';
import { makeEndpoint, makeReport } from '../review/reports.ts';
import { makeRepository } from './deploy/repository.ts';
import { BOT, connected, SHA } from './github/connect-fake-github.ts';
import { runStepInProcess, TOKEN, writeFiles } from './run-action.ts';

const SERVER = 'https://github.acme.example';
const BASE = { sha: 'b'.repeat(40), ref: 'trunk' };
const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const IRIS = 'name: iris\nconfig: {served_entities: [{entity_name: iris, entity_version: "2"}]}\n';

it('reviews, commits the locks and tells the merge its result, all on that server', async () => {
  const lock = readFileSync(codePath('endpoints', 'iris.lock'), 'utf8');
  const report = JSON.stringify(makeReport([makeEndpoint('iris', { computed_lock: digest(lock), lock: 'missing' })]));
  const workspace = mkdtempSync(join(tmpdir(), 'davit-enterprise-'));
  const repository = makeRepository(workspace, 'trunk');
  repository.write({ 'environments/staging.yaml': '[', 'endpoints/iris.yaml': IRIS });
  const merge = repository.commit();
  writeFiles(workspace, {
    'reports/davit-validate/report.json': report,
    'reports/davit-validate/locks/iris.lock': lock,
    'reports/davit-preview/report.json': report,
  });
  const writes = { checks: 'write', contents: 'write', deployments: 'write', 'pull-requests': 'write' } as const;
  const { fake } = await connected({
    ...{ server: SERVER, tokens: { [TOKEN]: { login: BOT } }, jobs: { test: writes } },
    pulls: [{ number: 7, head: { sha: SHA }, base: BASE }],
    branches: { change: SHA, trunk: merge },
    comments: Array.from({ length: 120 }, (_, i) => ({ on: 7, login: 'octocat', body: `comment ${i}` })),
  });
  const env = {
    GITHUB_API_URL: fake.url,
    GITHUB_SERVER_URL: SERVER,
    GITHUB_SHA: merge,
    GITHUB_REF: 'refs/heads/trunk',
  };
  const results = { 'validate-result': 'success', 'preview-result': 'success', 'preview-digest': digest(report) };
  const reported = await runStepInProcess({
    inputs: { command: 'report', 'github-token': TOKEN, 'commit-locks': 'true', ...results },
    event: { pull_request: { number: 7, base: { sha: BASE.sha }, head: { sha: SHA } } },
    ...{ workspace, env },
  });
  expect(reported.code, reported.log).toBe(0);
  expect(fake.url).toMatch(/\/api\/v3$/);
  expect(fake.world.commits).toMatchObject([{ headline: 'Lock iris' }]);
  expect(reported.outputs['comment-url']).toMatch(new RegExp(`^${SERVER}/octo/models/pull/7#`));

  fake.world.pulls[0]!.mergedAs.push(merge);
  const deployed = await runStepInProcess({
    inputs: { command: 'deploy', environments: 'staging', 'github-token': TOKEN },
    ...{ workspace, env, eventName: 'push' },
  });
  expect(deployed.code, deployed.log).toBe(1);
  const body = fake.world.comments.at(-1)?.body ?? '';
  expect(body).toContain('### staging: 1 stopped');
  expect(body).toContain(`(${SERVER}/octo/models/actions/runs/4711)`);
  expect(body + deployed.log + reported.log).not.toContain('github.com');
});
