import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Deploying } from '../../../action/deploy/deployment-context.ts';
import { selectDeployments } from '../../../action/deploy/select-deployments.ts';
import { connected } from '../github/connect-fake-github.ts';
import type { Seed } from '../github/fake/seed.ts';
import { makeRepository } from './repository.ts';

const file = (name: string, version = 1) =>
  `name: ${name}\nconfig:\n  served_entities:\n    - entity_name: ${name}\n      entity_version: "${version}"\n`;
const FILES = {
  'endpoints/iris.yaml': file('iris'),
  'endpoints/wine.yaml': file('wine'),
  'environments/staging.yaml': 'name: staging\ntarget: local\n',
  'models/wine/1/MLmodel': 'flavors: {}\n',
};

function start() {
  const root = mkdtempSync(join(tmpdir(), 'davit-select-'));
  const repository = makeRepository(root);
  repository.write(FILES);
  const first = repository.commit();
  return { ...repository, root, first };
}

const recordOf = (
  endpoint: string,
  sha: string,
  states: readonly string[] = ['in_progress', 'success'],
  action = 'deploy',
) => ({
  sha,
  environment: 'staging',
  task: `davit:${endpoint}`,
  payload: { endpoint, action, runId: 1, runAttempt: 1, host: 'h', user: 'u' },
  states: [...states],
});

interface Looking {
  readonly deployments: Seed['deployments'];
  readonly args?: readonly string[];
  readonly stacks?: readonly string[];
}

async function select(root: string, { deployments, args = [], stacks = [] }: Looking) {
  const { github } = await connected({ deployments });
  const place = { root, endpoints: 'endpoints' };
  const request = { place, environment: { name: 'staging' }, signal: new AbortController().signal };
  const deploying = { github, request, given: args } as unknown as Deploying;
  const { candidates, removed } = await selectDeployments(deploying, stacks);
  return { candidates, removed, why: Object.fromEntries(candidates.map((c) => [c.name, c.why])) };
}

describe('selectDeployments', () => {
  it('takes all that was never deployed, and then nothing', async () => {
    const { root, first } = start();
    expect((await select(root, { deployments: [] })).why).toEqual({ iris: 'first', wine: 'first' });
    const deployments = [recordOf('iris', first), recordOf('wine', first)];
    expect((await select(root, { deployments })).why).toEqual({});
  });

  it.each([
    ['its file', { 'endpoints/wine.yaml': file('wine', 2) }, { wine: 'changed' }],
    ['its lock', { 'endpoints/wine.lock': '{}' }, { wine: 'changed' }],
    ['its model', { 'models/wine/1/model.pkl': 'x' }, { wine: 'changed' }],
    [
      'the environment',
      { 'environments/staging.yaml': 'name: staging\ntarget: local\n# x\n' },
      { iris: 'changed', wine: 'changed' },
    ],
    ['another environment', { 'environments/production.yaml': 'name: production\ntarget: local\n' }, {}],
    ['a document', { 'README.md': 'x' }, {}],
  ])('takes what has changed since its own last success: %s', async (_, files, expected) => {
    const { root, first, write, commit } = start();
    write(files);
    const head = commit();
    const { why, candidates } = await select(root, { deployments: [recordOf('iris', first), recordOf('wine', first)] });
    expect(why).toEqual(expected);
    expect(candidates.every((c) => c.commit === head)).toBe(true);
  });

  it('loses nothing when a run failed or was cancelled, even if its change is taken back', async () => {
    const { root, first, write, commit } = start();
    write({ 'endpoints/wine.yaml': file('wine', 2) });
    const second = commit();
    write({ 'endpoints/wine.yaml': file('wine', 1) });
    commit();
    const records = [recordOf('iris', first), recordOf('wine', first)];
    expect((await select(root, { deployments: records })).why).toEqual({});
    for (const states of [[], ['in_progress'], ['in_progress', 'failure'], ['error']]) {
      const deployments = [...records, recordOf('wine', second, states)];
      expect((await select(root, { deployments })).why).toEqual({ wine: 'again' });
    }
  });

  it('takes a success that GitHub calls inactive by now for one, and retires only those that it shows', async () => {
    const { root, first, write, commit } = start();
    const inactive = recordOf('wine', first, ['success', 'inactive']);
    const records = [recordOf('iris', first), inactive, recordOf('wine', first)];
    expect((await select(root, { deployments: [...records, inactive] })).why).toEqual({});
    write({ 'endpoints/wine.yaml': file('wine', 2) });
    commit();
    const { candidates } = await select(root, { deployments: [...records, inactive] });
    expect(candidates.map((c) => [c.name, c.active.length])).toEqual([['wine', 1]]);
  });

  it('takes what was taken down, what a lost commit was deployed of, and what is named', async () => {
    const { root, first } = start();
    const iris = recordOf('iris', first);
    const down = [iris, recordOf('wine', first), recordOf('wine', first, ['success'], 'remove')];
    expect((await select(root, { deployments: down })).why).toEqual({ wine: 'first' });
    expect((await select(root, { deployments: [iris, recordOf('wine', 'f'.repeat(40))] })).why).toEqual({
      wine: 'changed',
    });
    const all = [iris, recordOf('wine', first)];
    expect((await select(root, { deployments: all, args: ['wine'] })).why).toEqual({ wine: 'asked' });
  });

  it('believes no record but its own', async () => {
    const { root, first } = start();
    const forged = { ...recordOf('wine', first), login: 'mallory' };
    expect((await select(root, { deployments: [recordOf('iris', first), forged] })).why).toEqual({ wine: 'first' });
  });

  it('finds what serves and was merged away; never what somebody deployed by hand, nor elsewhere', async () => {
    const { root, write, commit, first } = start();
    write({ 'endpoints/wine.yaml': undefined });
    const removal = commit();
    const stacks = [
      'iris.staging',
      'wine.staging',
      'wine.production',
      'wine._images',
      'handmade.staging',
      '_platform.staging',
    ];
    const deployments = [recordOf('iris', first), recordOf('wine', first)];
    const { removed, why } = await select(root, { deployments, stacks });
    expect(why).toEqual({});
    expect(removed).toEqual([{ name: 'wine', commit: removal, active: ['DE_1002'] }]);
    expect((await select(root, { deployments, stacks, args: ['iris'] })).removed).toEqual([]);
  });

  it('keeps a file with errors as one to be told of', async () => {
    const { root, first, write, commit } = start();
    write({ 'endpoints/wine.yaml': '[' });
    commit();
    const { candidates } = await select(root, { deployments: [recordOf('iris', first), recordOf('wine', first)] });
    expect(candidates).toMatchObject([{ name: 'wine', endpoint: undefined, why: 'changed' }]);
    expect(candidates[0]!.diagnostics[0]!.code).toBe('bad-yaml');
  });
});
