import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeEntity, Rollouts } from './rollouts.ts';

let on: Rollouts;

beforeAll(async () => {
  on = await Rollouts.open('drift');
  const entities = ['one', 'two'].map((name) => makeEntity(name, { VERSION: name }));
  await on.declareShared(entities, [90, 10]);
  await on.up();
});

afterAll(() => on.close());

test('a preview with --refresh shows a route that was edited by hand, and an update restores it', async () => {
  const route = await on.readRoute();
  const patch = JSON.stringify([
    { op: 'replace', path: '/spec/traffic/0/percent', value: 10 },
    { op: 'replace', path: '/spec/traffic/1/percent', value: 90 },
  ]);
  await on.underLoad('a route edited by hand', async () => {
    await on.kubectl('patch', ...(await theRoute()), '--type=json', '-p', patch);
    const { stdout } = await on.davit('preview', on.endpoint, '--refresh');
    expect(stdout).toMatch(/spec\.traffic\[0\]\.percent: 10 → 90/);
    await on.up();
  });
  expect(await on.readRoute()).toEqual(route);
});

test('an update recreates objects that were removed by hand', async () => {
  const before = await on.podNames();
  for (const what of ['poddisruptionbudget', 'configmap'])
    await on.kubectl('delete', what, '-n', on.models, '-l', on.label);
  expect((await on.query()).status).toBe(404); // no entry, no endpoint
  await on.up();
  await on.underLoad('what was removed is there again', () => Promise.resolve());
  expect(await on.list('poddisruptionbudget')).toHaveLength(2);
  expect(await on.podNames()).toEqual(before);
});

test('an update recreates a revision that was removed by hand', async () => {
  const [one] = await on.list<{ readonly metadata: { readonly name: string } }>('configuration');
  await on.kubectl('delete', 'configuration', one!.metadata.name, '-n', on.models);
  await on.up();
  await on.underLoad('all revisions are there again', () => Promise.resolve());
  expect(await on.status()).toMatchObject({ ready: 'READY', configUpdate: 'NOT_UPDATING' });
});

async function theRoute(): Promise<readonly string[]> {
  return [(await on.names('route')).trim(), '-n', on.models];
}
