// What can happen between a review and its deployment, and after it; one environment, `staging`.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { codePath } from '../../system/code.ts';
import { childEnvironment, runProcess } from '../../system/run-process.ts';
import { declareEndpoint, exampleModel, fixtureModel, makeUserRepository, type Pull } from './workflows/given.ts';
import type { ActResult } from './workflows/run-act.ts';
import { ALL_WELL, askLocally, openReviewed } from './workflows/steps.ts';
import { PASSPHRASE, type Files, type UserRepository } from './workflows/user-repository.ts';

const FIRST = '{"predictions": [0, 1, 2]}';
const SECOND = '{"predictions": ["setosa", "versicolor", "virginica"]}';

/** One field a line, so that two people can change it without a conflict. */
const iris = (version: string, size = 'Small') =>
  `name: iris\nconfig:\n  served_entities:\n    - name: iris\n      entity_name: iris\n      entity_version: "${version}"\n\n      scale_to_zero_enabled: false\n\n      workload_size: ${size}\n`;

let user: UserRepository;
beforeAll(async () => {
  user = await makeUserRepository(
    { 'endpoints/iris.yaml': null, 'models/iris/1': exampleModel('1'), 'models/iris/2': exampleModel('2') },
    {},
    (text) => text.replace('with: { environment: staging,', 'with: { environment: staging, revert: true,'),
  );
});
afterAll(async () => {
  for (const endpoint of ['iris', 'owl']) await user.runDestroy({ environment: 'staging', endpoint });
  await user.remove();
});
afterEach(() => {
  expect(user.github.breaches.splice(0), 'what GitHub would not answer').toEqual([]);
});

const review = (number: number, files: Files) => openReviewed(user, number, files);
const ask = (endpoint = 'iris') => askLocally(user, 'staging', endpoint);
const bodyOf = (pull: Pull) =>
  user.github.world.comments.findLast((c) => c.on === pull.number && !c.minimized)?.body ?? '';

function deploy(pushed: ReturnType<UserRepository['merge']>): Promise<ActResult> {
  return user.runDeploy(pushed, { job: 'staging' });
}

/** As a person would, on the machine that has the state. */
async function byHand(...args: readonly string[]): Promise<void> {
  const env = { PULUMI_BACKEND_URL: `file://${join(user.folder, 'state')}`, PULUMI_CONFIG_PASSPHRASE: PASSPHRASE };
  const ran = await runProcess(process.execPath, [codePath('cli', 'main.ts'), ...args], {
    cwd: user.workspace,
    env: childEnvironment(env),
  });
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
}

describe('after the review', () => {
  it('a merge is deployed though main has moved, when it still does what was reviewed', async () => {
    const pull = await review(1, { 'endpoints/iris.yaml': iris('1') });
    user.pushToMain({ 'README.md': 'Our models\n' });
    const run = await deploy(user.merge(pull));
    expect(run.results, run.log).toEqual({ staging: 'success' });
    expect(await ask()).toBe(FIRST);
  });

  it('a merge that would do something else is stopped, and says what differs', async () => {
    const [ours, theirs] = [
      await review(2, { 'endpoints/iris.yaml': iris('2') }),
      await review(3, { 'endpoints/iris.yaml': iris('1', 'Medium') }),
    ];
    const first = await deploy(user.merge(theirs));
    expect(first.results, first.log).toEqual({ staging: 'success' });
    const run = await deploy(user.merge(ours));
    expect(run.results, run.log).toEqual({ staging: 'failure' });
    expect(await ask(), 'the old version serves').toBe(FIRST);
    expect(bodyOf(ours)).toContain('since the review of pull request #2');
    const check = user.github.world.checkRuns.findLast((c) => c.name === 'davit: staging');
    expect(check).toMatchObject({ sha: user.head('main'), conclusion: 'failure' });
    expect(user.github.world.pulls.filter((p) => p.title.startsWith('Revert'))).toEqual([]);
  });

  it('a merge without its lock changes nothing', async () => {
    const pull = await review(4, { 'endpoints/iris.yaml': iris('2', 'Large') });
    user.resetBranch(pull, `${pull.branch}~1`); // less the commit of the lock
    const run = await deploy(user.merge(pull));
    expect(run.results, run.log).toEqual({ staging: 'failure' });
    expect(await ask()).toBe(FIRST);
    expect(bodyOf(pull)).toMatch(/lock/);
  });

  it('what could not be deployed is, as soon as a pull request says what there is', async () => {
    const pull = await review(5, { 'endpoints/iris.yaml': iris('2') });
    const run = await deploy(user.merge(pull));
    expect(run.results, run.log).toEqual({ staging: 'success' });
    expect(await ask()).toBe(SECOND);
  });

  it('two merges within a minute are deployed one after the other, each as it was reviewed', async () => {
    const [a, b] = [
      await review(6, { 'endpoints/iris.yaml': iris('1') }),
      await review(7, { 'endpoints/owl.yaml': declareEndpoint('owl', 'iris', '2') }),
    ];
    const [first, second] = [user.merge(a), user.merge(b)];
    const runs = [await deploy(first), await deploy(second)];
    expect(runs.map((r) => r.results)).toEqual([{ staging: 'success' }, { staging: 'success' }]);
    expect([await ask(), await ask('owl')]).toEqual([FIRST, SECOND]);
  });

  it('a deployment that fails leaves the old version, says why, and proposes to take the merge back', async () => {
    const pull = user.openPullRequest(8, {
      'models/shy/1': fixtureModel('m_obedient'),
      'endpoints/owl.yaml': declareEndpoint('owl', 'shy', '1'),
    });
    user.change(pull, (folder) => {
      const file = join(folder, 'models/shy/1/code/m_obedient.py');
      const shy =
        'import sys\nif "prove" not in str(sys.modules["__main__"].__file__):\n    raise OSError("I am shy")\n';
      writeFileSync(file, shy + readFileSync(file, 'utf8'));
    });
    const reviewed = await user.runPullRequest(pull);
    expect(reviewed.results, reviewed.log).toEqual(ALL_WELL);
    user.refresh(pull);
    const run = await deploy(user.merge(pull));
    expect(run.results, run.log).toEqual({ staging: 'failure' });
    expect(await ask('owl'), 'the old version serves').toBe(SECOND);
    expect(bodyOf(pull)).toContain('I am shy');
    expect(user.github.world.pulls.map((p) => p.title)).toContain('Revert "Change 8" (#8)');
    expect(user.github.world.deployments.at(-1)?.statuses.at(-1)).toMatchObject({ state: 'failure' });
  });

  it('the lock of a runner that died is released, a person’s never', async () => {
    const pull = await review(20, {
      'endpoints/iris.yaml': iris('2'),
      'endpoints/owl.yaml': declareEndpoint('owl', 'iris', '2'),
    });
    const pushed = user.merge(pull);
    plantLock('runner-1', 'runner');
    user.github.world.runs.push({ id: 50, status: 'completed', attempt: 1, updatedAt: '2026-11-24T10:10:00Z' });
    plantDeployment(50, 'runner-1', 'runner');
    const run = await deploy(pushed);
    expect(run.results, run.log).toEqual({ staging: 'success' });
    expect(run.log).toContain('was left locked by');
    expect(await ask()).toBe(SECOND);

    const next = await review(21, { 'endpoints/iris.yaml': iris('1') });
    const locked = user.merge(next);
    const release = plantLock('laptop', 'anna');
    const refused = await deploy(locked);
    expect(refused.results, refused.log).toEqual({ staging: 'failure' });
    expect(bodyOf(next)).toContain('anna');
    expect(await ask()).toBe(SECOND);
    release();
    const again = await deploy(locked);
    expect(again.results, again.log).toEqual({ staging: 'success' });
    expect(await ask()).toBe(FIRST);
  });

  it('drift is one issue, while there is any', async () => {
    const none = await user.runDrift('staging');
    expect(none.results, none.log).toEqual({ drift: 'success' });
    expect(user.github.world.issues).toEqual([]);

    const file = join(user.workspace, 'endpoints', 'iris.yaml');
    const merged = readFileSync(file, 'utf8');
    writeFileSync(file, iris('2'));
    await byHand('lock', 'iris');
    await byHand('up', 'iris', '--env', 'staging');
    for (let i = 0; i < 2; i += 1) {
      const found = await user.runDrift('staging');
      expect(user.github.world.issues, found.log).toMatchObject([{ state: 'open', title: /staging/ }]);
    }
    writeFileSync(file, merged);
    await byHand('up', 'iris', '--env', 'staging');
    await user.runDrift('staging');
    expect(user.github.world.issues).toMatchObject([{ state: 'closed' }]);
  });

  it('a person takes an endpoint down by name', async () => {
    const run = await user.runDestroy({ environment: 'staging', endpoint: 'owl' });
    expect(run.results, run.log).toEqual({ destroy: 'success' });
    await expect(ask('owl')).resolves.toContain('RESOURCE_DOES_NOT_EXIST');
    expect(await ask()).toBe(FIRST);
  });
});

/** A lock of iris' state, as the engine leaves it; gives what takes it away. */
function plantLock(hostname: string, username: string): () => void {
  const folder = join(user.folder, 'state', '.pulumi', 'locks', 'organization', 'davit', 'iris.staging');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, '3f1c2a71-0000-4000-8000-000000000000.json');
  writeFileSync(file, JSON.stringify({ pid: 1, username, hostname, timestamp: '2026-11-24T10:05:00Z' }));
  return () => rmSync(file);
}

/** What a deployment that was under way left behind. */
function plantDeployment(runId: number, host: string, deployer: string): void {
  const { deployments, nextId, repository } = user.github.world;
  const payload = { endpoint: 'iris', action: 'deploy', runId, runAttempt: 1, host, user: deployer };
  const [known] = deployments;
  if (!known) throw new Error(`Nothing was deployed in ${repository} before`);
  deployments.unshift({ ...known, id: nextId(), payload, createdAt: '2026-11-24T10:04:00Z', statuses: [] });
}
