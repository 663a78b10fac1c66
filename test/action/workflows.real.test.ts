// The workflows that a user calls, run by act in host mode, with a GitHub in memory and the real engine: pull requests.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { codePath } from '../../system/code.ts';
import { declareEndpoint, exampleModel, fixtureModel, makeUserRepository, type Pull } from './workflows/given.ts';
import { UserRepository } from './workflows/user-repository.ts';

let user: UserRepository;
beforeAll(async () => {
  user = await makeUserRepository({
    'models/iris/1': exampleModel('1'),
    'models/iris/2': exampleModel('2'),
    'endpoints/iris.yaml': { from: codePath('endpoints', 'iris.yaml') },
    'endpoints/iris.lock': { from: codePath('endpoints', 'iris.lock') },
  });
});
afterAll(() => user.remove());
afterEach(() => {
  expect(user.github.breaches.splice(0), 'what GitHub would not answer').toEqual([]);
});

const ALL_WELL = { validate: 'success', preview: 'success', report: 'success' };
const FOX = { 'endpoints/fox.yaml': declareEndpoint('fox', 'iris', '1') };

const SECONDARY_LIMIT = {
  headers: { 'retry-after': '1' },
  message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
};

const commentsOf = (pull: Pull) => user.github.world.comments.filter((c) => c.on === pull.number);
const bodyOf = (pull: Pull) => commentsOf(pull).at(-1)?.body ?? '';
const topLine = (pull: Pull) => /^### (.*)$/m.exec(bodyOf(pull))?.[1];
const checkOf = (sha: string) => user.github.world.checkRuns.findLast((c) => c.sha === sha && c.name === 'davit');

describe('a pull request', () => {
  it('that adds an endpoint is proved and previewed, and gets its lock', async () => {
    const pull = user.openPullRequest(1, FOX);
    const run = await user.runPullRequest(pull);
    expect(run.results, run.log).toEqual(ALL_WELL);
    expect(topLine(pull)).toBe('1 endpoint: 1 new');
    const locked = user.head(pull.branch);
    const [commit] = user.github.world.commits;
    expect(commit).toMatchObject({ oid: locked, parents: [pull.head] });
    expect(Object.keys(commit?.files ?? {})).toEqual(['endpoints/fox.lock']);
    expect(checkOf(locked)).toMatchObject({ conclusion: 'success', app: 'github-actions' });

    user.refresh(pull);
    const again = await user.runPullRequest(pull);
    expect(again.results, again.log).toEqual(ALL_WELL);
    expect(user.github.world.commits).toHaveLength(1);
    expect(commentsOf(pull)).toHaveLength(1);
    expect(checkOf(locked)?.conclusion).toBe('success');
  });

  it('that changes an endpoint says from which file and to what', async () => {
    const pull = user.openPullRequest(2, { 'endpoints/iris.yaml': declareEndpoint('iris', 'iris', '1') });
    const run = await user.runPullRequest(pull);
    expect(run.results, run.log).toEqual(ALL_WELL);
    expect(bodyOf(pull)).toContain('modified `endpoints/iris.yaml`');
    expect(bodyOf(pull)).toMatch(/create Revision iris-[0-9a-f]{10}/);
  });

  it('that renames an endpoint adds one and removes one', async () => {
    const pull = user.openPullRequest(3, {
      ...{ 'endpoints/iris.yaml': null, 'endpoints/iris.lock': null },
      'endpoints/flower.yaml': declareEndpoint('flower', 'iris', '2'),
    });
    const run = await user.runPullRequest(pull);
    expect(run.results, run.log).toEqual(ALL_WELL);
    expect(bodyOf(pull)).toMatch(/\| `flower` \| added .*\| new \|/);
    expect(bodyOf(pull)).toMatch(/\| `iris` \| \*\*removed\*\* .*\| not deployed \|/);
  });

  it('of two endpoints of which one fails previews the other', async () => {
    const pull = user.openPullRequest(4, {
      'models/raises/1': fixtureModel('h_raises'),
      'endpoints/good.yaml': declareEndpoint('good', 'iris', '2'),
      'endpoints/raises.yaml': declareEndpoint('raises', 'raises', '1'),
    });
    const run = await user.runPullRequest(pull);
    expect(run.results, run.log).toEqual({ validate: 'failure', preview: 'success', report: 'success' });
    expect(topLine(pull)).toBe('2 endpoints: 1 fails, 1 new');
    expect(run.commands.find((c) => c.command === 'error')?.kvPairs).toMatchObject({
      ...{ file: 'endpoints/raises.yaml', line: '4', title: 'prediction-failed' },
    });
    const check = checkOf(user.head(pull.branch));
    expect(check).toMatchObject({ conclusion: 'failure' });
    expect(check?.annotations).toMatchObject([{ path: 'endpoints/raises.yaml', start_line: 4 }]);
  });

  it('that touches no endpoint passes the required check', async () => {
    const pull = user.openPullRequest(5, { 'README.md': 'Our models\n' });
    const run = await user.runPullRequest(pull);
    expect(run.results, run.log).toEqual(ALL_WELL);
    expect(topLine(pull)).toBe('No endpoint changes');
    expect(checkOf(pull.head)?.conclusion).toBe('success');
  });

  it('is previewed by the release and the base branch, whatever programs it brings', async () => {
    const ran = join(user.folder, 'ran');
    const evil = `require('fs').appendFileSync(${JSON.stringify(ran)}, process.env.PULUMI_CONFIG_PASSPHRASE ?? '')\n`;
    const pull = user.openPullRequest(6, {
      ...FOX,
      'Pulumi.yaml': 'name: davit\nruntime: { name: nodejs, options: { typescript: false } }\nmain: infra/\n',
      'infra/index.ts': evil.replace("require('fs')", "(await import('node:fs'))"),
      'infra/index.js': evil,
      'local/PulumiPlugin.yaml': 'runtime: nodejs\n',
      'environments/staging.yaml': 'name: staging\ntarget: local\ngateway: { port: 1 }\n',
      '.github/actions/davit-credentials/action.yml': `name: c\ndescription: c\nruns:\n  using: composite\n  steps: [{ shell: bash, run: "touch ${ran}" }]\n`,
      'package.json': `{ "scripts": { "preinstall": "touch ${ran}" } }`,
      '.npmrc': 'script-shell=/bin/false\n',
    });
    const run = await user.runPullRequest(pull);
    expect(run.results['preview'], run.log).toBe('success');
    expect(existsSync(ran)).toBe(false);
    expect(bodyOf(pull)).toMatch(/create Revision fox-[0-9a-f]{10}/);
  });

  it('of a fork is validated with nothing, and reported by the workflow that has nothing of it', async () => {
    const asked = user.github.requests.length;
    const pull = user.openPullRequest(7, FOX, { fork: 'mallory/models' });
    const validated = await user.runPullRequest(pull);
    expect(validated.results, validated.log).toEqual({ validate: 'success' });
    expect(user.github.requests.slice(asked)).toEqual([]);
    const reported = await user.runForkReport(pull, validated);
    expect(reported.results, reported.log).toEqual({ 'fork-report': 'success' });
    expect(bodyOf(pull)).toContain('npx davit lock fox');
    expect(checkOf(pull.head)?.conclusion).toBe('failure');
    expect(user.github.world.commits.filter((c) => c.parents.includes(pull.head))).toEqual([]);
  });

  it('with a comment on its third page has one comment still', async () => {
    const pull = user.openPullRequest(8, { 'README.md': 'Eight\n' });
    for (let i = 0; i < 230; i += 1) comment(pull, 'octocat', `I say ${i}`);
    comment(pull, 'mallory', '<!-- davit:report v1 -->\nAll is well');
    await user.runPullRequest(pull);
    for (let i = 0; i < 30; i += 1) comment(pull, 'octocat', `I say ${i} again`);
    user.push(pull, FOX);
    const run = await user.runPullRequest(pull);
    expect(run.results, run.log).toEqual(ALL_WELL);
    const ours = commentsOf(pull).filter((c) => c.author.login === 'github-actions[bot]' && !c.minimized);
    expect(ours.map((c) => /^### .*$/m.exec(c.body)?.[0])).toEqual(['### 1 endpoint: 1 new']);
    expect(commentsOf(pull).find((c) => c.author.login === 'mallory')?.body).toContain('All is well');
  });

  it('is reported also when GitHub falters', async () => {
    const pull = user.openPullRequest(10, FOX);
    user.github.fail({ operation: 'pulls/get', status: 502, times: 2 });
    user.github.fail({ operation: 'createCommitOnBranch', status: 0, done: true });
    user.github.fail({ operation: 'addComment', status: 403, ...SECONDARY_LIMIT });
    user.github.fail({ operation: 'checks/create', status: 429, headers: { 'retry-after': '1' } });
    const commits = user.github.world.commits.length;
    const run = await user.runPullRequest(pull);
    expect(run.results, run.log).toEqual(ALL_WELL);
    expect(user.github.world.commits.slice(commits)).toHaveLength(1);
    expect(commentsOf(pull)).toHaveLength(1);
    expect(checkOf(user.head(pull.branch))?.conclusion).toBe('success');
    expect(run.log).toMatch(/Asked GitHub \d+ times, [1-9]\d* of them again/);
  });

  it('that is pushed to while it is validated is reported as it is now', async () => {
    const pull = user.openPullRequest(11, FOX);
    let pushed = false;
    const onLine = (text: string) => {
      if (pushed || !text.includes('Run Main Validate')) return;
      pushed = true;
      user.push(pull, { 'endpoints/fox.yaml': declareEndpoint('fox', 'iris', '2') });
    };
    const [older] = [pull.head, await user.runPullRequest(pull, { onLine })];
    expect(user.head(pull.branch), 'nothing is committed over what was pushed').toBe(pull.head);
    const run = await user.runPullRequest(pull);
    expect(run.results, run.log).toEqual(ALL_WELL);
    expect(commentsOf(pull)).toHaveLength(1);
    expect(bodyOf(pull)).toContain('setosa');
    expect(checkOf(older)?.conclusion).not.toBe(undefined);
  });

  it('whose run is cancelled is told so', async () => {
    const pull = user.openPullRequest(9, FOX);
    const run = await user.runCancelledPullRequest(pull);
    expect(run.results, run.log).toEqual({ report: 'success' });
    expect(bodyOf(pull)).toContain('cancelled');
    expect(checkOf(pull.head)?.conclusion).toBe('cancelled');
  });
});

describe('this repository', () => {
  it('reviews its own pull requests', { timeout: 600_000 }, async () => {
    const own = await UserRepository.makeOwn();
    try {
      const text = readFileSync(codePath('endpoints', 'iris.yaml'), 'utf8');
      const pull = own.openPullRequest(1, { 'endpoints/iris.yaml': `${text}# of three kinds\n` });
      const run = await own.runPullRequest(pull);
      expect(run.results, run.log).toEqual(ALL_WELL);
      expect(own.github.world.comments.map((c) => /^### .*$/m.exec(c.body)?.[0])).toEqual(['### 1 endpoint: 1 new']);
    } finally {
      await own.remove();
    }
  });
});

function comment(on: Pull, login: string, body: string): void {
  const { comments, nextId } = user.github.world;
  const type = login.endsWith('[bot]') ? 'Bot' : 'User';
  comments.push({ id: nextId(), on: on.number, author: { login, type }, body, minimized: false });
}
