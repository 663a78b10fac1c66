import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sendLoad } from '../../../app/send-load/send-load.ts';
import { openLocalTarget } from '../../../app/targets/local-target.ts';
import { reviewProject } from '../../../app/review/review-project.ts';
import { REPORT_MARKER } from '../../../review/render-report.ts';
import { renderReviewedPlans } from '../../../review/reviewed-plans.ts';
import { codePath } from '../../../system/code.ts';
import { SILENT } from '../../../system/progress.ts';
import { lockProject } from '../../cli/lock-project.ts';
import { runDavit } from '../../cli/run-davit.ts';
import { makeWorkingProject } from '../../cli/working-project.ts';
import { BOT, REPOSITORY } from '../github/connect-fake-github.ts';
import { type FakeGitHub, startFakeGitHub } from '../github/fake/server.ts';
import { runStepInProcess, TOKEN } from '../run-action.ts';
import { makeRepository } from './repository.ts';

/** As deploy.yaml grants them. */
const PERMISSIONS = {
  actions: 'read',
  checks: 'write',
  contents: 'write',
  deployments: 'write',
  issues: 'write',
  'pull-requests': 'write',
} as const;
/** Leaves the processors to what is deployed. */
const PAUSE = { pauseMilliseconds: 20 };
const FIRST = '{"predictions": [0, 1, 2]}';
const SECOND = '{"predictions": ["setosa", "versicolor", "virginica"]}';

let root = '';
let remove: () => Promise<void>;
let github: FakeGitHub;
let repository: ReturnType<typeof makeRepository>;

beforeAll(async () => {
  ({ root, remove } = await makeWorkingProject({
    'iris/1': codePath('test/fixtures/models/p_flowers_1'),
    'iris/2': codePath('test/fixtures/models/p_flowers_2'),
  }));
  repository = makeRepository(root);
  repository.write({ '.gitignore': '.davit/\nbin/\n' });
  github = await startFakeGitHub({
    repository: REPOSITORY,
    tokens: { [TOKEN]: { login: BOT, permissions: PERMISSIONS } },
  });
});
afterAll(async () => {
  await runDavit(root, 'down', '--all');
  await github.close();
  await remove();
});

async function declare(version: string, more = '', endpoint = 'iris') {
  const text = `name: ${endpoint}\nconfig:\n  served_entities:\n    - name: ${endpoint}\n      entity_name: iris\n      entity_version: "${version}"\n${more}davit:\n  breaking: version ${version} answers in its own way\n`;
  repository.write({ [`endpoints/${endpoint}.yaml`]: text });
  await lockProject(root, endpoint);
}

/** What the check run `davit` of a pull request holds. */
async function review(endpoint = 'iris'): Promise<string> {
  const { signal } = new AbortController();
  const report = await reviewProject({ root, names: [endpoint], environments: ['local'], progress: SILENT, signal });
  return `For people.\n${renderReviewedPlans(report)}\n`;
}

interface Merging {
  readonly reviewed?: string;
  readonly labels?: readonly string[];
}

/** Commits what is there as the merge of a pull request whose review said `reviewed`. */
function merge({ reviewed, labels = [] }: Merging) {
  const sha = repository.commit();
  const number = Math.max(0, ...[...github.world.pulls, ...github.world.issues].map((p) => p.number)) + 1;
  const head = { sha: String(number).padStart(40, 'a'), ref: `change-${number}`, repository: undefined };
  const base = { sha: '0'.repeat(40), ref: 'main' };
  const pull = { number, title: 'A change', head, base, labels: [...labels], mergedAs: [sha], closed: false };
  github.world.pulls.push(pull);
  const check = { name: 'davit', app: 'github-actions', status: 'completed', conclusion: 'success', details: null };
  const text = reviewed ?? null;
  const output = { title: null, summary: null, text, annotations: [], externalId: 'davit-review' };
  github.world.checkRuns.push({ id: github.world.nextId(), sha: head.sha, ...check, ...output });
  github.world.comments.push({
    id: github.world.nextId(),
    on: number,
    author: { login: BOT, type: 'Bot' },
    body: `${REPORT_MARKER}\n### What people have seen`,
    minimized: false,
  });
  return { sha, number };
}

/** Runs the action as the workflow does after a merge. */
async function run(
  command: string,
  inputs: Readonly<Record<string, string>> = {},
  eventName = 'push',
  event: object = {},
) {
  const step = await runStepInProcess({
    inputs: { command, environments: 'local', 'github-token': TOKEN, ...inputs },
    workspace: root,
    event,
    eventName,
    env: {
      GITHUB_API_URL: github.url,
      GITHUB_SHA: repository.git('rev-parse', 'HEAD'),
      GITHUB_REF: 'refs/heads/main',
    },
  });
  expect(github.breaches).toEqual([]);
  return step;
}

const commentOf = (number: number) => github.world.comments.find((c) => c.on === number)?.body ?? '';
const lastDeployment = () => github.world.deployments.at(-1);
const statesOf = (deployment = lastDeployment()) => deployment?.statuses.map((s) => s['state']);
const lastCheck = () => github.world.checkRuns.findLast((c) => c.name === 'davit: local');

async function ask(endpoint = 'iris') {
  const connection = await openLocalTarget(root, 'local').connect();
  const body = await readFile(join(root, 'models/iris/1/serving_input_example.json'), 'utf8');
  return () => connection.query({ endpoint, entity: undefined, body, contentType: 'application/json' });
}

async function answer(endpoint?: string): Promise<string> {
  return (await (await ask(endpoint))()).body.trim();
}

it('deploys what was merged as it was reviewed, says so everywhere, and then has nothing to do', async () => {
  await declare('1');
  const { number, sha } = merge({ reviewed: await review() });
  const first = await run('deploy');
  expect(first.code, first.log).toBe(0);
  expect(await answer()).toBe(FIRST);
  expect(statesOf()).toEqual(['in_progress', 'success']);
  expect(lastDeployment()).toMatchObject({ sha, environment: 'local', task: 'davit:iris', payload: { runId: 4711 } });
  expect(lastDeployment()?.statuses[1]?.['environment_url']).toMatch(/^http:.*\/serving-endpoints\/iris\/invocations$/);
  expect(lastCheck()).toMatchObject({ sha, conclusion: 'success', title: 'local: 1 live' });
  expect(commentOf(number)).toMatch(/^<!-- davit:report v1 -->\n<!-- davit:rollouts local -->\n\n### local: 1 live\n/);
  expect(commentOf(number)).toMatch(/answers its example: iris in \d+ ms/);
  expect(commentOf(number)).toContain('### What people have seen');
  expect(first.summary).toContain('1 live');

  const again = await run('deploy');
  expect(again.code, again.log).toBe(0);
  expect(again.log).toContain('local: nothing to deploy');
  expect(github.world.deployments).toHaveLength(1);
});

it('updates without a failed request, and retires the earlier record', async () => {
  await declare('2');
  const { number } = merge({ reviewed: await review() });
  const clients = sendLoad(await ask(), 2, PAUSE);
  const updated = await run('deploy');
  clients.stop();
  const asked = await clients.done;
  expect(updated.code, updated.log).toBe(0);
  expect({ failed: asked.failed, answers: [...asked.answers.keys()].sort() }).toEqual({
    failed: 0,
    answers: [SECOND, FIRST].sort(),
  });
  expect(github.world.deployments.map((d) => statesOf(d))).toEqual([
    ['in_progress', 'success', 'inactive'],
    ['in_progress', 'success'],
  ]);
  expect(commentOf(number)).toContain('rolling update');

  repository.git('checkout', '--quiet', 'HEAD~1'); // the first run is started again
  const old = await run('deploy');
  repository.git('checkout', '--quiet', 'main');
  expect(old.code, old.log).toBe(0);
  expect(old.log).toMatch(/Leaving iris as it is, superseded: this run is older than [0-9a-f]{12}/);
  expect(commentOf(number - 1)).toContain('### local: 1 superseded');
  expect(await answer()).toBe(SECOND);
  expect(github.world.deployments).toHaveLength(2);
});

it('stops when it is not what was reviewed, and says what differs', async () => {
  await declare('1');
  const reviewed = await review();
  await declare('1', '      environment_vars:\n        GREETING: hello\n'); // merged after main had moved
  const { number } = merge({ reviewed });
  const stopped = await run('deploy', { revert: 'true' });
  expect(stopped.code).toBe(1);
  expect(await answer()).toBe(SECOND);
  expect(statesOf()).toEqual(['in_progress', 'failure']);
  expect(commentOf(number)).toContain('### local: 1 stopped');
  expect(commentOf(number)).toMatch(/since the review of pull request #3.*Revision iris-\S+ is (new|gone)/);
  expect(lastCheck()).toMatchObject({ conclusion: 'failure' });
  expect(github.world.pulls.filter((p) => p.title.startsWith('Revert'))).toEqual([]);
});

it('stops what nobody has reviewed, until a person starts it by name', async () => {
  await declare('1');
  repository.commit('pushed');
  const stopped = await run('deploy');
  expect(stopped.code).toBe(1);
  expect(stopped.summary).toContain('without a pull request');
  const named = await run('deploy', { endpoints: 'iris' });
  expect(named.code).toBe(1); // a name in a workflow that starts by itself is nobody's word
  const byHand = await run('deploy', { endpoints: 'iris' }, 'workflow_dispatch');
  expect(byHand.code, byHand.log).toBe(0);
  expect(await answer()).toBe(FIRST);
});

it('changes nothing for a merge without its lock, and deploys it when a pull request brings the lock', async () => {
  const lock = await readFile(join(root, 'endpoints/iris.lock'), 'utf8');
  await declare('2');
  const reviewed = await review();
  const locked = await readFile(join(root, 'endpoints/iris.lock'), 'utf8');
  repository.write({ 'endpoints/iris.lock': lock });
  const { number } = merge({ reviewed });
  const stopped = await run('deploy');
  expect(stopped.code).toBe(1);
  expect(await answer()).toBe(FIRST);
  expect(commentOf(number)).toMatch(/lock/);
  repository.write({ 'endpoints/iris.lock': locked });
  merge({ reviewed: await review() });
  const deployed = await run('deploy');
  expect(deployed.code, deployed.log).toBe(0);
  expect(await answer()).toBe(SECOND);
});

it('deploys one merge, then two of one push, each as it was reviewed', async () => {
  await declare('1');
  merge({ reviewed: await review() });
  const before = repository.git('rev-parse', 'HEAD');
  await declare('1', '', 'owl');
  const owl = merge({ reviewed: await review('owl') });
  await declare('1', '      environment_vars:\n        GREETING: hello\n');
  const iris = merge({ reviewed: await review() });
  repository.git('checkout', '--quiet', before);
  const first = await run('deploy');
  expect(first.code, first.log).toBe(0);
  expect(await answer()).toBe(FIRST);
  expect(await answer('owl')).toContain('RESOURCE_DOES_NOT_EXIST');
  repository.git('checkout', '--quiet', 'main');
  const second = await run('deploy', {}, 'push', { before });
  expect(second.code, second.log).toBe(0);
  expect([await answer(), await answer('owl')]).toEqual([FIRST, FIRST]);
  for (const { number } of [owl, iris]) expect(commentOf(number)).toContain('### local: 1 live');
});

it('leaves the old version serving when it fails after the review, says why, and takes the merge back when asked for', async () => {
  await declare('2');
  const reviewed = await review();
  await rename(join(root, 'models/iris/2'), join(root, '.davit/away')); // a model that the checkout does not have
  const { number } = merge({ reviewed });
  const failed = await run('deploy', { revert: 'true' });
  expect(failed.code).toBe(1);
  expect(await answer()).toBe(FIRST);
  const check = lastCheck();
  expect(check).toMatchObject({ conclusion: 'failure' });
  expect(check?.annotations).toMatchObject([
    { path: 'endpoints/iris.yaml', start_line: 4, annotation_level: 'failure' },
  ]);
  const revert = github.world.pulls.at(-1);
  expect(revert?.title).toBe(`Revert "A change" (#${number})`);
  expect(commentOf(number)).toContain(`https://github.com/${REPOSITORY}/pull/${revert?.number}`);

  await rename(join(root, '.davit/away'), join(root, 'models/iris/2'));
  repository.commit(); // the next merge deploys what this one could not
  github.world.pulls.find((p) => p.number === number)!.mergedAs.push(repository.git('rev-parse', 'HEAD'));
  const next = await run('deploy', { revert: 'true' });
  expect(next.code, next.log).toBe(0);
  expect(await answer()).toBe(SECOND);
});

it('releases the state that a killed runner has left locked, never that of a person', async () => {
  await declare('1');
  merge({ reviewed: await review() });
  const folder = join(root, '.davit/pulumi/.pulumi/locks/organization/davit/iris.local');
  const lock = (hostname: string) => ({
    pid: 77,
    username: userInfo().username,
    hostname,
    timestamp: new Date().toISOString(),
  });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'lock.json'), JSON.stringify(lock('a-laptop')));
  const held = await run('deploy');
  expect(held.code).toBe(1);
  expect(held.summary).toMatch(/it is locked by process 77 of .* on a-laptop/);
  expect(existsSync(join(folder, 'lock.json'))).toBe(true);

  const payload = {
    endpoint: 'iris',
    action: 'deploy',
    runId: 40,
    runAttempt: 1,
    host: 'fv-az1',
    user: userInfo().username,
  };
  github.world.deployments.push({
    ...lastDeployment()!,
    id: github.world.nextId(),
    payload,
    createdAt: new Date(Date.now() - 60_000).toISOString(),
    statuses: [{ state: 'in_progress' }],
  });
  const updatedAt = new Date(Date.now() + 60_000).toISOString();
  github.world.runs.push({ id: 40, status: 'completed', attempt: 1, updatedAt });
  await writeFile(join(folder, 'lock.json'), JSON.stringify(lock('fv-az1')));
  const released = await run('deploy');
  expect(released.code, released.log).toBe(0);
  expect(released.log).toContain('Releasing the lock of iris.local, which an ended run has left: https://');
  expect(await answer()).toBe(FIRST);
});

it('opens one issue while what runs differs from what is merged, and closes it', async () => {
  const same = await run('drift', {}, 'schedule');
  expect(same.code, same.log).toBe(0);
  expect(github.world.issues).toEqual([]);
  const text = await readFile(join(root, 'endpoints/iris.yaml'), 'utf8');
  await declare('1', '      environment_vars:\n        GREETING: hello\n');
  for (const done of ['created', 'unchanged']) {
    const differs = await run('drift', {}, 'schedule');
    expect(differs.code, differs.log).toBe(0);
    expect(differs.log).toMatch(new RegExp(`Issue #\\d+ is ${done}`));
  }
  expect(github.world.issues).toMatchObject([{ state: 'open', title: 'local differs from the merged state' }]);
  expect(github.world.issues[0]!.body).toMatch(/~ Route iris\n +entities\[0\]\.revision: "iris-/);
  repository.write({ 'endpoints/iris.yaml': text });
  await lockProject(root, 'iris');
  const closed = await run('drift', {}, 'schedule');
  expect(closed.code, closed.log).toBe(0);
  expect(github.world.issues).toMatchObject([{ state: 'closed' }]);
  await declare('2');
  github.world.branches.commit('main', { headline: '', parents: [], files: {} }); // the branch has gone on
  const old = await run('drift', {}, 'schedule');
  expect(old.code, old.log).toBe(0);
  expect(old.commands).toEqual([expect.stringContaining('::notice::Nothing to compare: this checkout is not ')]);
  expect(github.world.issues).toMatchObject([{ state: 'closed' }]);
  repository.write({ 'endpoints/iris.yaml': text });
  await lockProject(root, 'iris');
});

it('takes nothing down without the label, and everything with it', async () => {
  for (const name of ['iris', 'owl'])
    repository.write({ [`endpoints/${name}.yaml`]: undefined, [`endpoints/${name}.lock`]: undefined });
  const { number } = merge({});
  const kept = await run('deploy');
  expect(kept.code, kept.log).toBe(0);
  expect(commentOf(number)).toContain('has no label');
  expect(await answer()).toBe(FIRST);
  github.world.pulls.find((p) => p.number === number)!.labels.push('davit: destroy');
  const gone = await run('deploy');
  expect(gone.code, `${gone.log}\n${commentOf(number)}`).toBe(0);
  expect(lastDeployment()).toMatchObject({ payload: { action: 'remove' } });
  expect(commentOf(number)).toContain('2 removed');
  await expect(ask()).rejects.toThrow(/its supervisor does not run|nothing is deployed there/);
  expect((await run('deploy')).log).toContain('local: nothing to deploy');
});

it('takes down what a person names', async () => {
  await declare('1');
  merge({ reviewed: await review() });
  expect((await run('deploy')).code).toBe(0);
  const first = repository.git('rev-parse', 'HEAD~1');
  repository.git('checkout', '--quiet', first); // a run that was started before the endpoint came back
  const old = await run('destroy', { endpoints: 'iris' }, 'workflow_dispatch');
  repository.git('checkout', '--quiet', 'main');
  expect(old.code).toBe(1);
  expect(old.summary).toContain('This run is outdated');
  expect(await answer()).toBe(FIRST);
  const destroyed = await run('destroy', { endpoints: 'iris' }, 'workflow_dispatch');
  expect(destroyed.code, destroyed.log).toBe(0);
  expect(destroyed.summary).toContain('1 removed');
  await expect(ask()).rejects.toThrow(/its supervisor does not run|nothing is deployed there/);
});
