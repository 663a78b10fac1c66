// From the first file to deployed endpoints and back: the documented repository, its merges, drift and destruction.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { COMMENT_CHARACTERS } from '../../review/render-report.ts';
import { parseReport } from '../../schemas/report.ts';
import { declareEndpoint, exampleModel, type Pull } from './workflows/given.ts';
import { ALL_WELL, askLocally, openReviewed } from './workflows/steps.ts';
import { type Files, UserRepository } from './workflows/user-repository.ts';

const FIRST = '{"predictions": [0, 1, 2]}';
const SECOND = '{"predictions": ["setosa", "versicolor", "virginica"]}';
const DEPLOYED = { warm: 'success', staging: 'success', production: 'success' };

let user: UserRepository;
beforeAll(async () => {
  user = await UserRepository.make({
    'endpoints/iris.yaml': null,
    'environments/staging.yaml': 'name: staging\ntarget: local\n',
    'environments/production.yaml': 'name: production\ntarget: local\n',
    'models/iris/1': exampleModel('1'),
    'models/iris/2': exampleModel('2'),
  });
});
afterAll(() => user.remove());
afterEach(() => {
  expect(user.github.breaches.splice(0), 'what GitHub would not answer').toEqual([]);
});

const review = (number: number, files: Files) => openReviewed(user, number, files);
const ask = (environment: string, endpoint: string) => askLocally(user, environment, endpoint);
const bodyOf = (pull: Pull) => user.github.world.comments.findLast((c) => c.on === pull.number && !c.minimized)?.body;
const checkOf = (sha: string) => user.github.world.checkRuns.findLast((c) => c.sha === sha && c.name === 'davit');

describe('a merge', () => {
  it('deploys what was reviewed, to one environment after the other', async () => {
    const pull = await review(1, { 'endpoints/iris.yaml': declareEndpoint('iris', 'iris', '1') });
    expect(checkOf(pull.head)?.conclusion).toBe('success');
    const run = await user.runDeploy(user.merge(pull));
    expect(run.results, run.log).toEqual(DEPLOYED);
    expect(await ask('staging', 'iris')).toBe(FIRST);
    expect(await ask('production', 'iris')).toBe(FIRST);
    expect(user.github.world.deployments.map((d) => [d.environment, d.task, d.statuses.at(-1)?.['state']])).toEqual([
      ['staging', 'davit:iris', 'success'],
      ['production', 'davit:iris', 'success'],
    ]);
    expect(bodyOf(pull)).toMatch(/\| `iris` \| `production` \| live at /);
  });

  it('of a new version is announced as a rolling update, and is one', async () => {
    const pull = await review(2, { 'endpoints/iris.yaml': declareEndpoint('iris', 'iris', '2') });
    expect(bodyOf(pull)).toMatch(/^### 1 endpoint: 1 rolling$/m);
    const run = await user.runDeploy(user.merge(pull));
    expect(run.results, run.log).toEqual(DEPLOYED);
    expect(await ask('production', 'iris')).toBe(SECOND);
  });

  it('that would change more than a comment holds is told within GitHub’s limits, and whole beside it', async () => {
    const tags = Array.from({ length: 600 }, (_, i) => `  - { key: team-${i}, value: the team of number ${i} }\n`);
    const changed = `${declareEndpoint('iris', 'iris', '2')}tags:\n${tags.join('')}`;
    const pull = user.openPullRequest(4, { 'endpoints/iris.yaml': changed });
    const run = await user.runPullRequest(pull);
    expect(run.results, run.log).toEqual(ALL_WELL);
    const body = bodyOf(pull) ?? '';
    expect(body).toMatch(/^### 1 endpoint: 1 in place$/m);
    expect(body.length).toBeLessThan(COMMENT_CHARACTERS);
    expect(body).toMatch(/and \d+ more$/m);
    const artifact = join(user.folder, 'artifacts', String(run.runId), 'davit-preview', 'report.json');
    const { endpoints } = parseReport(readFileSync(artifact, 'utf8'));
    const plans = JSON.stringify(endpoints.flatMap((e) => e.previews.map((p) => p.plan)));
    expect(plans.length).toBeGreaterThan(60_000);
    expect(plans).toContain('the team of number 599');
  });

  it('that takes an endpoint away needs the label, and then takes it down', async () => {
    const pull = user.openPullRequest(3, { 'endpoints/iris.yaml': null, 'endpoints/iris.lock': null });
    await user.runPullRequest(pull);
    expect(checkOf(pull.head)?.conclusion).toBe('failure');
    expect(bodyOf(pull)).toContain('davit: destroy');
    user.github.world.pulls.find((p) => p.number === 3)?.labels.push('davit: destroy');
    const labelled = await user.runPullRequest(pull);
    expect(labelled.results, labelled.log).toEqual(ALL_WELL);
    expect(checkOf(pull.head)?.conclusion).toBe('success');
    const run = await user.runDeploy(user.merge(pull));
    expect(run.results, run.log).toEqual(DEPLOYED);
    await expect(ask('production', 'iris')).rejects.toThrow();
  });
});
