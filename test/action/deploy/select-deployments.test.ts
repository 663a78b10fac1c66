import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { selectDeployments } from '../../../action/deploy/select-deployments.ts';
import type { Job } from '../../../action/job.ts';
import { SILENT } from '../../../system/progress.ts';
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
  /** The head of `main` at GitHub. */
  readonly head?: string;
  readonly runId?: number;
  readonly environment?: string;
  readonly after?: string;
  /** The commit of the branch before the push. */
  readonly before?: string;
}

async function select(root: string, looking: Looking) {
  const { deployments, args = [], stacks = [], head, runId = 5, environment = 'staging', after, before } = looking;
  const { github } = await connected({ deployments });
  const place = { root, endpoints: 'endpoints' };
  const request = { place, environment: { name: environment }, signal: new AbortController().signal, progress: SILENT };
  const findBranchHead = () => Promise.resolve(head);
  const job = { runner: { runId, event: { before } } } as Job;
  const scope = { github, request, given: args, after, findBranchHead, job };
  const { candidates, removed, withdrawn } = await selectDeployments(scope, stacks);
  const held = [...candidates, ...removed].flatMap((c) => (c.hold ? [[c.name, c.hold.state]] : []));
  return {
    ...{ candidates, removed, withdrawn },
    why: Object.fromEntries(candidates.map((c) => [c.name, c.why])),
    held: Object.fromEntries(held) as Readonly<Record<string, string>>,
  };
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
    const lost = await select(root, { deployments: [iris, recordOf('wine', 'f'.repeat(40))], head: first });
    expect([lost.why, lost.held]).toEqual([{ wine: 'changed' }, {}]);
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
    expect(removed).toEqual([{ name: 'wine', commit: removal, earlier: [], active: ['DE_1002'], hold: undefined }]);
    expect((await select(root, { deployments, stacks, args: ['iris'] })).removed).toEqual([]);
  });

  it('knows what a push has removed, or added and removed again, where nothing of it is deployed', async () => {
    const { root, write, commit, first } = start();
    const next = (files: Parameters<typeof write>[0]) => (write(files), commit());
    const added = next({ 'endpoints/bee.yaml': file('bee') });
    const gone = next({ 'endpoints/bee.yaml': undefined });
    const removal = next({ 'endpoints/wine.yaml': undefined });
    const deployments = [recordOf('iris', first)];
    const { withdrawn, candidates } = await select(root, { deployments, before: first });
    expect(candidates).toEqual([]);
    expect(withdrawn).toMatchObject([
      { name: 'bee', commit: gone, earlier: [added], hold: { state: 'superseded' } },
      { name: 'wine', commit: removal, earlier: [], hold: { state: 'removed' } },
    ]);
    const deployed = await select(root, { deployments, before: first, stacks: ['wine.staging'] });
    expect([deployed.removed.map((r) => r.name), deployed.withdrawn.map((w) => w.name)]).toEqual([['wine'], ['bee']]);
    expect((await select(root, { deployments })).withdrawn).toEqual([]); // no push
    expect((await select(root, { deployments, before: first, args: ['iris'] })).withdrawn).toEqual([]);
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

describe('selectDeployments of a run that is started again, or approved late', () => {
  /** Version 1, version 2, without the file, and version 3: a commit each. */
  function startHistory() {
    const { write, commit, ...rest } = start();
    const next = (text: string | undefined) => (write({ 'endpoints/wine.yaml': text }), commit());
    const commits = {
      one: rest.first,
      two: next(file('wine', 2)),
      gone: next(undefined),
      three: next(file('wine', 3)),
    };
    const checkOut = (sha: string) => void rest.git('checkout', '--quiet', sha);
    return { ...rest, write, commit, checkOut, ...commits, iris: recordOf('iris', rest.first) };
  }
  const stacks = ['wine.staging', 'iris.staging'];

  it('never deploys a commit that is older than the one that deployed the endpoint last', async () => {
    const { root, checkOut, one, two, three, iris } = startHistory();
    const cases = [
      { old: one, newest: two },
      { old: two, newest: three, states: ['failure'] },
      { old: one, newest: three, states: [] },
      { old: one, newest: two, args: ['wine'] },
    ];
    for (const { old, newest, states = ['success'], args = [] } of cases) {
      checkOut(old);
      const deployments = [iris, recordOf('wine', old), recordOf('wine', newest, states)];
      const { why, held, candidates } = await select(root, { deployments, stacks, args, head: three });
      expect([Object.keys(why), held]).toEqual([['wine'], { wine: 'superseded' }]);
      expect(candidates[0]!.hold?.cause).toContain(newest.slice(0, 12));
    }
  });

  it('has nothing to say about an endpoint that the newer commit has not changed', async () => {
    const { root, checkOut, one, two, three } = startHistory();
    checkOut(one);
    const deployments = [recordOf('iris', three), recordOf('wine', two)];
    expect((await select(root, { deployments, stacks, head: three })).why).toEqual({ wine: 'changed' });
  });

  it('neither brings back what was removed, nor removes what was added again', async () => {
    const { root, checkOut, two, gone, three, iris } = startHistory();
    checkOut(two);
    const removed = [iris, recordOf('wine', two), recordOf('wine', gone, ['success'], 'remove')];
    expect((await select(root, { deployments: removed, head: three })).held).toEqual({ wine: 'superseded' });
    checkOut(gone);
    const again = [...removed, recordOf('wine', three)];
    const { held, removed: found } = await select(root, { deployments: again, stacks, head: three });
    expect([held, found.map((r) => r.name)]).toEqual([{ wine: 'superseded' }, ['wine']]);
  });

  it('does not redo in one commit what a later run has undone', async () => {
    const { root, three, iris } = startHistory();
    const down = recordOf('wine', three, ['success'], 'remove');
    const deployments = [iris, recordOf('wine', three), { ...down, payload: { ...down.payload, runId: 9 } }];
    expect((await select(root, { deployments, stacks, runId: 8 })).held).toEqual({ wine: 'superseded' });
    expect(await select(root, { deployments, stacks, runId: 10 })).toMatchObject({ why: { wine: 'first' }, held: {} });
  });

  it('leaves to the head of the branch what the head has removed, added again or taken back, without any record', async () => {
    const { root, write, checkOut, commit, one, two, gone, three, iris } = startHistory();
    checkOut(two);
    expect((await select(root, { deployments: [iris], head: gone })).held).toEqual({ wine: 'superseded' });
    expect((await select(root, { deployments: [iris], head: two })).held).toEqual({});
    checkOut(gone);
    expect((await select(root, { deployments: [iris], stacks, head: three })).held).toEqual({ wine: 'superseded' });
    checkOut(three);
    write({ 'endpoints/wine.yaml': file('wine', 1) });
    const back = commit();
    checkOut(two);
    const deployments = [iris, recordOf('wine', one)];
    expect((await select(root, { deployments, head: back })).held).toEqual({ wine: 'superseded' });
    expect((await select(root, { deployments, head: three })).held).toEqual({}); // merges are deployed in order
  });

  it('lets only the head of the branch deploy after the branch was forced', async () => {
    const { root, write, checkOut, commit, one, two, three, iris } = startHistory();
    checkOut(one);
    write({ 'endpoints/wine.yaml': file('wine', 9) });
    const forced = commit();
    const deployments = [iris, recordOf('wine', two)];
    expect((await select(root, { deployments, head: forced })).held).toEqual({});
    expect((await select(root, { deployments, head: three })).held).toEqual({ wine: 'superseded' });
    expect((await select(root, { deployments })).held).toEqual({ wine: 'superseded' });
  });
});

describe('selectDeployments after another environment', () => {
  const production = (record: ReturnType<typeof recordOf>) => ({ ...record, environment: 'production' });
  const looking = { environment: 'production', after: 'staging' } as const;

  it('waits for what is not live there as it was merged, and holds back nothing else', async () => {
    const { root, first, write, commit } = start();
    write({ 'endpoints/wine.yaml': file('wine', 2), 'endpoints/iris.yaml': file('iris', 2) });
    const head = commit();
    const before = [recordOf('iris', first), recordOf('wine', first)].flatMap((r) => [r, production(r)]);
    for (const wine of [[], [recordOf('wine', head, ['failure'])], [recordOf('wine', head, ['success'], 'remove')]]) {
      const deployments = [...before, recordOf('iris', head), ...wine];
      const { why, held } = await select(root, { ...looking, deployments });
      expect([Object.keys(why), held]).toEqual([['iris', 'wine'], { wine: 'waiting' }]);
    }
    const deployments = [...before, recordOf('iris', head), recordOf('wine', head)];
    expect((await select(root, { ...looking, deployments })).held).toEqual({});
  });

  it('does not wait for what is there in a newer version already', async () => {
    const { root, first, write, commit, git } = start();
    write({ 'endpoints/wine.yaml': file('wine', 2) });
    const second = commit();
    git('checkout', '--quiet', first);
    const deployments = [recordOf('iris', first), recordOf('wine', first), recordOf('wine', second, ['failure'])];
    expect((await select(root, { ...looking, deployments })).held).toEqual({});
  });

  it('removes what is removed there', async () => {
    const { root, first, write, commit } = start();
    write({ 'endpoints/wine.yaml': undefined });
    const head = commit();
    const before = [recordOf('iris', first), recordOf('wine', first)].flatMap((r) => [r, production(r)]);
    const stacks = ['wine.production'];
    expect((await select(root, { ...looking, stacks, deployments: before })).held).toEqual({ wine: 'waiting' });
    const deployments = [...before, recordOf('wine', head, ['success'], 'remove')];
    expect(await select(root, { ...looking, stacks, deployments })).toMatchObject({
      held: {},
      removed: [{ name: 'wine' }],
    });
  });
});
