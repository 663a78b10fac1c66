// Whether a push needs a deployment: by the action's own step with the rights of its job, real Git and a GitHub in memory.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import '../../../action/commands/due.ts'; // loaded before the time of the first test begins
import { DESTROY_LABEL } from '../../../review/review-state.ts';
import { codePath } from '../../../system/code.ts';
import { BOT, REPOSITORY, SHA } from '../github/connect-fake-github.ts';
import type { Permissions, Seed } from '../github/fake/seed.ts';
import { startFakeGitHub } from '../github/fake/server.ts';
import { runStepInProcess, TOKEN } from '../run-action.ts';
import { startsJob } from '../workflows/evaluate-expression.ts';
import { makeRepository } from './repository.ts';

const workflow = parse(readFileSync(codePath('.github', 'workflows', 'deploy.yaml'), 'utf8')) as {
  readonly jobs: Readonly<
    Record<string, { readonly if?: string; readonly environment?: string; readonly permissions: Permissions }>
  >;
};
const { due, deploy } = workflow.jobs;
const RIGHTS = due?.permissions ?? {};
const file = (name: string, version = 1) =>
  `name: ${name}\nconfig: {served_entities: [{entity_name: ${name}, entity_version: "${version}"}]}\n`;
const place = (name: string) => `name: ${name}\ntarget: local\n`;

/** The commits of a branch, one after the other; each is pushed alone. */
const COMMITS = {
  first: {
    'endpoints/iris.yaml': file('iris'),
    'endpoints/wine.yaml': file('wine'),
    'environments/staging.yaml': place('staging'),
    'environments/production.yaml': place('production'),
    'models/iris/1/MLmodel': 'flavors: {}\n',
  },
  document: { 'README.md': 'Our models\n' },
  second: { 'endpoints/iris.yaml': file('iris', 2) },
  afterSecond: { 'README.md': 'Our two models\n' },
  back: { 'endpoints/iris.yaml': file('iris') },
  model: { 'models/iris/1/MLmodel': 'flavors: {sklearn: {}}\n' },
  production: { 'environments/production.yaml': `${place('production')}# changed\n` },
  without: { 'endpoints/wine.yaml': undefined },
  afterWithout: { 'README.md': 'One model\n' },
};
type CommitName = keyof typeof COMMITS;
const NAMES = Object.keys(COMMITS) as readonly CommitName[];

const root = mkdtempSync(join(tmpdir(), 'davit-due-'));
const repository = makeRepository(root);
const shas = Object.fromEntries(
  NAMES.map((name) => (repository.write(COMMITS[name]), [name, repository.commit(name)])),
) as Readonly<Record<CommitName, string>>;

interface Case {
  /** The commit that is pushed; the one before it is the branch's until then. */
  readonly push: CommitName;
  readonly before?: string | undefined;
  /** What was recorded, oldest first: `iris first`, `wine first remove failure`, `iris first production`. */
  readonly records?: readonly string[];
  readonly environment?: string;
  readonly labels?: readonly string[];
  readonly inputs?: Readonly<Record<string, string>>;
  readonly rights?: Permissions;
}

const BOTH = ['iris first', 'wine first'];

function makeRecord(text: string): NonNullable<Seed['deployments']>[number] {
  const [endpoint = '', commit = '', ...words] = text.split(' ');
  const [action, environment] = [words.includes('remove') ? 'remove' : 'deploy', 'production'];
  const end = words.find((w) => w === 'failure' || w === 'in_progress') ?? 'success';
  return {
    sha: shas[commit as CommitName],
    environment: words.includes(environment) ? environment : 'staging',
    task: `davit:${endpoint}`,
    payload: { endpoint, action, runId: 1, runAttempt: 1, host: 'h', user: 'u' },
    states: ['in_progress', ...(end === 'in_progress' ? [] : [end])],
  };
}

async function findDue(one: Case) {
  const { push, records = BOTH, environment = 'staging', labels = [], inputs = {}, rights = RIGHTS } = one;
  repository.git('checkout', '--quiet', shas[push]);
  const github = await startFakeGitHub({
    repository: REPOSITORY,
    tokens: { [TOKEN]: { login: BOT } },
    jobs: { due: rights },
    deployments: records.map(makeRecord),
    pulls: [{ number: 7, head: { sha: SHA }, labels: [...labels], mergedAs: [shas.without] }],
    branches: { main: shas[push] },
  });
  onTestFinished(async () => {
    await github.close();
    expect(github.breaches).toEqual([]);
  });
  const before = 'before' in one ? one.before : shas[NAMES[NAMES.indexOf(push) - 1] ?? 'first'];
  const step = await runStepInProcess({
    inputs: { command: 'due', environments: environment, 'github-token': TOKEN, ...inputs },
    workspace: root,
    eventName: before === undefined ? 'workflow_dispatch' : 'push',
    event: before === undefined ? {} : { before },
    env: {
      GITHUB_API_URL: github.url,
      GITHUB_JOB: 'due',
      GITHUB_REF: 'refs/heads/main',
      GITHUB_SHA: shas[push],
      GITHUB_REPOSITORY: REPOSITORY,
    },
  });
  expect(step.code, step.log).toBe(0);
  return step;
}

const IDLE: readonly (readonly [string, Case])[] = [
  ['of a document', { push: 'document' }],
  ['of a document, after the endpoint was deployed', { push: 'afterSecond', records: [...BOTH, 'iris second'] }],
  ['of the file of another environment', { push: 'production', records: ['iris model', 'wine first'] }],
  ['after a removal', { push: 'afterWithout', records: ['iris model', 'wine first', 'wine without remove'] }],
  [
    'after a merge that removed an endpoint without the label, which keeps serving',
    { push: 'afterWithout', records: ['iris model', 'wine first'] },
  ],
  [
    'while the only change waits for the environment before',
    {
      push: 'afterSecond',
      environment: 'production',
      inputs: { after: 'staging' },
      records: [...BOTH, 'iris first production', 'wine first production', 'iris second failure'],
    },
  ],
];

const DUE: readonly (readonly [string, Case, RegExp])[] = [
  ['of an endpoint', { push: 'second' }, /this push changes iris/],
  ['of a model', { push: 'model' }, /this push changes iris/],
  ['of the file of its environment', { push: 'production', environment: 'production', records: [] }, /changes wine/],
  [
    'that removes an endpoint, with or without the label',
    { push: 'without', records: ['iris model', 'wine first'] },
    /changes wine/,
  ],
  [
    'that takes a change back, because an older run may be about to deploy it',
    { push: 'back' },
    /this push changes iris/,
  ],
  [
    'after one whose deployment failed',
    { push: 'document', records: ['iris first failure', 'wine first'] },
    /: iris is not deployed/,
  ],
  [
    'after one whose deployment has not ended',
    { push: 'document', records: ['iris first in_progress', 'wine first'] },
    /: iris is not deployed/,
  ],
  ['after one whose deployment never began', { push: 'afterSecond' }, /: iris is not deployed/],
  [
    'after an endpoint was taken down',
    { push: 'document', records: [...BOTH, 'wine first remove'] },
    /: wine is not deployed/,
  ],
  [
    'after a removal that never began',
    { push: 'afterWithout', records: ['iris model', 'wine first'], labels: [DESTROY_LABEL] },
    /: wine is to be removed/,
  ],
  [
    'after a removal that failed',
    {
      push: 'afterWithout',
      records: ['iris model', 'wine first', 'wine without remove failure'],
      labels: [DESTROY_LABEL],
    },
    /: wine is to be removed/,
  ],
  [
    'when the environment before has the change',
    {
      push: 'afterSecond',
      environment: 'production',
      inputs: { after: 'staging' },
      records: [...BOTH, 'iris first production', 'wine first production', 'iris second'],
    },
    /production: iris is not deployed/,
  ],
];

const UNKNOWN: readonly (readonly [string, Case, RegExp])[] = [
  ['a person starts the run', { push: 'document', before: undefined }, /no push that continues the branch/],
  ['the workflow names an endpoint', { push: 'document', inputs: { endpoints: 'iris' } }, /the workflow names iris/],
  ['the push makes the branch', { push: 'document', before: '0'.repeat(40) }, /no push that continues the branch/],
  ['the push is forced', { push: 'document', before: 'f'.repeat(40) }, /no push that continues the branch/],
  [
    'GitHub refuses to answer',
    { push: 'document', rights: { contents: 'read' } },
    /::warning::Cannot find what is to deploy: /,
  ],
  [
    'the project is not there',
    { push: 'document', inputs: { project: 'services' } },
    /::warning::Cannot find what is to deploy: /,
  ],
];

describe('nothing is due', () => {
  it.each(IDLE)('after a push %s', async (_, one) => {
    const { outputs, summary, log } = await findDue(one);
    expect(outputs, log).toEqual({ due: 'false' });
    expect(summary).toBe(`### ${one.environment ?? 'staging'}: nothing to deploy\n\n`);
  });
});

describe('a deployment is due', () => {
  it.each([...DUE, ...UNKNOWN])('%s', async (_, one, reason) => {
    const { outputs, summary, log } = await findDue(one);
    expect(log).toMatch(reason);
    expect([outputs, summary]).toEqual([{ due: 'true' }, '']);
  });
});

describe('the workflow', () => {
  const status = { cancelled: false, failed: false };

  it('looks for changes before the job of the environment, with rights to read alone', () => {
    expect(Object.entries(workflow.jobs).filter(([, job]) => job.environment !== undefined)).toEqual([
      ['deploy', deploy],
    ]);
    expect(new Set(Object.values(RIGHTS))).toEqual(new Set(['read']));
    const starts = (event_name: string, endpoints = '') =>
      startsJob(due?.if, { github: { event_name }, inputs: { endpoints } }, status);
    expect([starts('push'), starts('push', 'iris'), starts('workflow_dispatch')]).toEqual([true, false, false]);
  });

  it('begins the deployment unless nothing is due', () => {
    const starts = (outputs: object, ended = status) => startsJob(deploy?.if, { needs: { due: { outputs } } }, ended);
    expect([starts({ due: 'false' }), starts({ due: 'true' })]).toEqual([false, true]);
    expect(starts({}), 'the job before was skipped').toBe(true);
    expect(starts({}, { cancelled: false, failed: true }), 'the job before has failed').toBe(true);
    expect(starts({ due: 'true' }, { cancelled: true, failed: false })).toBe(false);
  });
});
