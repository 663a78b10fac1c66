// The workflows that a user calls, run by act in host mode, with a GitHub in memory and the real engine: pull requests.
import { readFileSync } from 'node:fs';
import { appendFile, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { importFiles } from '../../app/import/import-files.ts';
import { codePath } from '../../system/code.ts';
import {
  declareEndpoint,
  exampleModel,
  fixtureModel,
  makeUserRepository,
  type TestPullRequest,
} from './workflows/make-user-repository.ts';
import { type Files, UserRepository } from './workflows/user-repository.ts';

let user: UserRepository;
beforeAll(async () => {
  user = await makeUserRepository({
    'models/iris/1': exampleModel('1'),
    'models/iris/2': exampleModel('2'),
    'endpoints/iris.yaml': { from: codePath('endpoints', 'iris.yaml') },
    'endpoints/iris.lock': { from: codePath('endpoints', 'iris.lock') },
    'endpoints/plant.yaml': declareEndpoint('plant', 'iris', '2'),
  });
});
afterAll(() => user.remove());
afterEach(() => {
  expect(user.github.breaches.splice(0), 'what GitHub would not answer').toEqual([]);
});

const ALL_WELL = { validate: 'success', preview: 'success', report: 'success' };
const FOX = { 'endpoints/fox.yaml': declareEndpoint('fox', 'iris', '1') };

/** Four endpoints that Davit can serve, with what their tools allow: variables, old names; and one that it cannot. */
const BUNDLE = `
bundle: { name: plants }
variables: { model: { default: iris }, size: { default: Small } }
resources:
  model_serving_endpoints:
    fox:
      config:
        served_entities: [{ name: fox, entity_name: "\${var.model}", entity_version: "1", workload_size: "\${var.size}", scale_to_zero_enabled: false }]
    iris:
      config:
        served_models: [{ name: iris, model_name: iris, model_version: "1", workload_size: Small, scale_to_zero_enabled: false }]
    flower:
      config:
        served_entities: [{ name: flower, entity_name: iris, entity_version: 2, workload_size: Small, scale_to_zero_enabled: false }]
    raises:
      config:
        served_entities: [{ name: raises, entity_name: raises, entity_version: "1", workload_size: Small, scale_to_zero_enabled: false }]
    chat:
      config: { served_entities: [{ name: gpt, external_model: { name: gpt, provider: openai, task: llm/v1/chat } }] }
`.replaceAll(/^ {4}(\w+):$/gm, '    $1:\n      name: $1');

/** The endpoint files that `davit import` makes of the bundle. */
async function importBundle(): Promise<Files> {
  const folder = await mkdtemp(join(tmpdir(), 'davit-bundle-'));
  await writeFile(join(folder, 'databricks.yml'), BUNDLE);
  const { endpoints } = await importFiles({
    ...{ paths: ['databricks.yml'], cwd: folder, folder: join(folder, 'endpoints'), dryRun: false, force: false },
    ...{ target: undefined, variables: new Map(), valueFiles: [] },
  });
  expect(endpoints.map((e) => e.status)).toEqual(['written', 'written', 'written', 'written', 'not-written']);
  // The repository's own iris has another version of the model.
  await appendFile(join(folder, 'endpoints', 'iris.yaml'), 'davit:\n  breaking: the bundle has the first version\n');
  return Object.fromEntries(endpoints.slice(0, -1).map(({ file }) => [file, { from: join(folder, file) }]));
}

const commentsOf = (pull: TestPullRequest) => user.github.world.comments.filter((c) => c.on === pull.number);
const bodyOf = (pull: TestPullRequest) => commentsOf(pull).at(-1)?.body ?? '';
const topLine = (pull: TestPullRequest) => /^### (.*)$/m.exec(bodyOf(pull))?.[1];
const checkOf = (sha: string) => user.github.world.checkRuns.findLast((c) => c.sha === sha && c.name === 'davit');

describe('a pull request', () => {
  let reviewed: TestPullRequest;

  it('is proved and previewed endpoint by endpoint, gets its locks, and is reported in one comment', async () => {
    const pull = user.openPullRequest(1, {
      ...(await importBundle()),
      'endpoints/plant.yaml': null,
      'models/raises/1': fixtureModel('h_raises'),
    });
    const run = await user.runPullRequest(pull);
    expect(run.results, run.log).toEqual({ validate: 'failure', preview: 'success', report: 'success' });
    expect(topLine(pull)).toBe('5 endpoints: 1 fails, 3 new, 1 no change');
    expect(bodyOf(pull), 'what changes an endpoint').toContain('modified `endpoints/iris.yaml`');
    for (const name of ['fox', 'iris', 'flower'])
      expect(bodyOf(pull)).toMatch(new RegExp(`create Revision ${name}-[0-9a-f]{10}`));
    expect(bodyOf(pull), 'a renamed endpoint is a new one').toMatch(/\| `flower` \| added .*\| new \|/);
    expect(bodyOf(pull), 'and a removed one').toMatch(/\| `plant` \| \*\*removed\*\* .*\| not deployed \|/);
    expect(run.commands.find((c) => c.command === 'error')?.kvPairs).toMatchObject({
      ...{ file: 'endpoints/raises.yaml', line: '4', title: 'prediction-failed' },
    });
    const locked = user.head(pull.branch);
    const [commit] = user.github.world.commits;
    expect(commit).toMatchObject({ oid: locked, parents: [pull.head] });
    expect(Object.keys(commit?.files ?? {}).sort()).toEqual(
      ['flower', 'fox', 'iris', 'raises'].map((name) => `endpoints/${name}.lock`),
    );
    expect(checkOf(locked)).toMatchObject({ conclusion: 'failure', app: 'github-actions' });
    expect(checkOf(locked)?.annotations).toMatchObject([{ path: 'endpoints/raises.yaml', start_line: 4 }]);

    user.push(pull, { 'endpoints/raises.yaml': null, 'endpoints/raises.lock': null });
    const again = await user.runPullRequest(pull);
    expect(again.results, again.log).toEqual(ALL_WELL);
    expect(user.github.world.commits, 'the locks are there').toHaveLength(1);
    expect(commentsOf(pull)).toHaveLength(1);
    expect(topLine(pull)).toBe('4 endpoints: 3 new, 1 no change');
    expect(checkOf(pull.head)?.conclusion).toBe('success');
    reviewed = pull;
  });

  it('gets the required check in a merge queue by what was reviewed, in a job that has nothing else', async () => {
    const queued = await user.runQueue(reviewed);
    expect(queued.results, queued.log).toEqual({ queue: 'success' });
    expect(checkOf(queued.sha)).toMatchObject({ conclusion: 'success', title: '4 endpoints as reviewed' });
  });

  it('that touches no endpoint passes the required check', async () => {
    const pull = user.openPullRequest(5, { 'README.md': 'Our models\n' });
    const run = await user.runPullRequest(pull);
    expect(run.results, run.log).toEqual({ validate: 'success', report: 'success' });
    expect(topLine(pull)).toBe('No endpoint changes');
    expect(checkOf(pull.head)?.conclusion).toBe('success');
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

  it('whose run was cancelled before it left anything is told so', async () => {
    const pull = user.openPullRequest(9, FOX);
    const run = await user.runReportOfCancelled(pull);
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
