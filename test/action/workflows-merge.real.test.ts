// From the files of `davit init` to deployed endpoints and back: merges, a failure, drift and destruction. The package writes
// the repository, as for a newcomer (newcomer.real.test.ts).
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { COMMENT_CHARACTERS } from '../../review/render-report.ts';
import { parseReport } from '../../schemas/report/report.ts';
import { initByPackage } from './workflows/init-by-package.ts';
import { declareEndpoint, fixtureModel, type TestPullRequest } from './workflows/make-user-repository.ts';
import { ALL_SUCCEEDED, queryLocalEndpoint, openReviewedPullRequest } from './workflows/steps.ts';
import { type Files, UserRepository } from './workflows/user-repository.ts';

const FIRST = '{"predictions": [0, 1, 2]}';
const SECOND = '{"predictions": ["setosa", "versicolor", "virginica"]}';
const DEPLOYED = {
  ...{ warm: 'success', staging: 'success', production: 'success' },
  ...{ 'due to staging': 'success', 'due to production': 'success' },
};

let user: UserRepository;
let rolling: TestPullRequest;
/** The endpoint of `davit init`, for the first pull request. */
let first = '';
beforeAll(async () => {
  const made = await initByPackage();
  first = made.get('endpoints/iris.yaml') ?? '';
  user = await UserRepository.makeFrom(
    made,
    {
      'endpoints/iris.yaml': null,
      'environments/staging.yaml': 'name: staging\ntarget: local\n',
      'environments/production.yaml': 'name: production\ntarget: local\n',
      'models/iris/1': fixtureModel('p_flowers_1'),
      'models/iris/2': fixtureModel('p_flowers_2'),
    },
    { edit: (text) => text.replace('with: { environment: staging,', 'with: { environment: staging, revert: true,') },
  );
});
afterAll(() => user.remove());
afterEach(() => {
  expect(user.github.breaches.splice(0), 'what GitHub would not answer').toEqual([]);
});

const review = (number: number, files: Files) => openReviewedPullRequest(user, number, files);
const ask = (environment: string, endpoint: string) => queryLocalEndpoint(user, environment, endpoint);
const bodyOf = (pull: TestPullRequest) =>
  user.github.world.comments.findLast((c) => c.on === pull.number && !c.minimized)?.body;
const checkOf = (sha: string) => user.github.world.checkRuns.findLast((c) => c.sha === sha && c.name === 'davit');

describe('a merge', () => {
  it('deploys what was reviewed, to one environment after the other, though main has moved', async () => {
    const tulip = declareEndpoint('tulip', 'iris', '1');
    const pull = await review(1, { 'endpoints/iris.yaml': first, 'endpoints/tulip.yaml': tulip });
    expect(checkOf(pull.head)?.conclusion).toBe('success');
    user.pushToMain({ 'README.md': 'Our models\n' });
    const run = await user.runDeploy(user.merge(pull));
    expect(run.results, run.log).toEqual(DEPLOYED);
    expect(run.log).toContain('due to production: production: this push changes tulip');
    expect(await ask('staging', 'iris')).toBe(FIRST);
    expect(await ask('production', 'iris')).toBe(FIRST);
    const deployments = user.github.world.deployments.map((d) => [d.environment, d.task, d.statuses.at(-1)?.['state']]);
    expect(deployments.sort()).toEqual([
      ['production', 'davit:iris', 'success'],
      ['production', 'davit:tulip', 'success'],
      ['staging', 'davit:iris', 'success'],
      ['staging', 'davit:tulip', 'success'],
    ]);
    expect(await ask('production', 'tulip')).toBe(FIRST);
    expect(bodyOf(pull)).toMatch(/\| `iris` \| `production` \| live at /);
  });

  it('of more than a comment holds is told within GitHub’s limits, and whole beside it', async () => {
    const tags = Array.from({ length: 600 }, (_, i) => `  - { key: team-${i}, value: the team of number ${i} }\n`);
    const changed = `${declareEndpoint('iris', 'iris', '2')}tags:\n${tags.join('')}`;
    const removed = { 'endpoints/tulip.yaml': null, 'endpoints/tulip.lock': null };
    rolling = user.openPullRequest(2, { 'endpoints/iris.yaml': changed, ...removed }, { labels: ['davit: destroy'] });
    const run = await user.runPullRequest(rolling);
    user.refresh(rolling);
    expect(run.results, run.log).toEqual(ALL_SUCCEEDED);
    const body = bodyOf(rolling) ?? '';
    expect(body).toMatch(/^### 2 endpoints: 1 removed, 1 rolling$/m);
    expect(body.length).toBeLessThan(COMMENT_CHARACTERS);
    expect(body).toMatch(/and \d+ more$/m);
    const artifact = join(user.folder, 'artifacts', String(run.runId), 'davit-preview', 'report.json');
    const { endpoints } = parseReport(readFileSync(artifact, 'utf8'));
    const plans = JSON.stringify(endpoints.flatMap((e) => e.previews.map((p) => p.plan)));
    expect(plans.length).toBeGreaterThan(60_000);
    expect(plans).toContain('the team of number 599');
  });

  it('announced as a rolling update and a removal is that, though a runner that died has left its lock', async () => {
    const pushed = user.merge(rolling);
    plantDeadRunner();
    const run = await user.runDeploy(pushed);
    expect(run.results, run.log).toEqual(DEPLOYED);
    expect(run.log).toContain('Releasing the lock of');
    expect(await ask('production', 'iris')).toBe(SECOND);
    for (const environment of ['staging', 'production'])
      expect(await ask(environment, 'tulip')).toContain('RESOURCE_DOES_NOT_EXIST');
  });

  it('that fails leaves the old version, says why, and is proposed to be taken back', async () => {
    const pull = user.openPullRequest(3, {
      'models/shy/1': fixtureModel('m_obedient'),
      'endpoints/iris.yaml': declareEndpoint('iris', 'shy', '1'),
    });
    user.change(pull, (folder) => {
      const file = join(folder, 'models/shy/1/code/m_obedient.py');
      const shy =
        'import sys\nif "prove" not in str(sys.modules["__main__"].__file__):\n    raise OSError("I am shy")\n';
      writeFileSync(file, shy + readFileSync(file, 'utf8'));
    });
    const reviewed = await user.runPullRequest(pull);
    expect(reviewed.results, reviewed.log).toEqual(ALL_SUCCEEDED);
    user.refresh(pull);
    const run = await user.runDeploy(user.merge(pull));
    // act runs nothing after a reusable workflow that fails, whatever `if` says; GitHub goes on. What production then does
    // is tested by deploy/select-deployments.test.ts and deploy/outage.test.ts.
    expect(run.results, run.log).toEqual({ warm: 'success', 'due to staging': 'success', staging: 'failure' });
    expect(await ask('production', 'iris')).toBe(SECOND);
    expect(await ask('staging', 'iris')).toBe(SECOND);
    expect(bodyOf(pull)).toContain('I am shy');
    expect(user.github.world.pulls.map((p) => p.title)).toContain('Revert "Change 3" (#3)');
    expect(user.github.world.deployments.at(-1)?.statuses.at(-1)).toMatchObject({ state: 'failure' });
  });
});

describe('afterwards', () => {
  it('what runs and is not what is merged is an issue', async () => {
    const found = await user.runDrift('staging');
    expect(found.results, found.log).toEqual({ drift: 'success' });
    expect(user.github.world.issues, found.log).toMatchObject([{ state: 'open', title: /staging/ }]);
  });

  it('a person takes an endpoint down by name', async () => {
    const run = await user.runDestroy({ environment: 'staging', endpoint: 'iris' });
    expect(run.results, run.log).toEqual({ destroy: 'success' });
    await expect(ask('staging', 'iris')).rejects.toThrow();
    expect(await ask('production', 'iris')).toBe(SECOND);
  });
});

/** What a run that has ended left behind in the middle of a deployment to staging: a lock of the state, and its record. */
function plantDeadRunner(): void {
  const folder = join(user.folder, 'state', '.pulumi', 'locks', 'organization', 'davit', 'iris.staging');
  mkdirSync(folder, { recursive: true });
  const lock = { pid: 1, username: 'runner', hostname: 'runner-1', timestamp: '2026-11-24T10:05:00Z' };
  writeFileSync(join(folder, '3f1c2a71-0000-4000-8000-000000000000.json'), JSON.stringify(lock));
  const { deployments, nextId, repository, runs } = user.github.world;
  runs.push({ id: 50, status: 'completed', attempt: 1, updatedAt: '2026-11-24T10:10:00Z' });
  const known = deployments.find((d) => d.environment === 'staging');
  if (!known) throw new Error(`Nothing was deployed in ${repository} before`);
  const payload = { endpoint: 'iris', action: 'deploy', runId: 50, runAttempt: 1, host: 'runner-1', user: 'runner' };
  deployments.unshift({ ...known, id: nextId(), payload, createdAt: '2026-11-24T10:04:00Z', statuses: [] });
}
