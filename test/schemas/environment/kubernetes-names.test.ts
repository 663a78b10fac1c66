import { expect, test } from 'vitest';
import * as names from '../../../schemas/environment/kubernetes-names.ts';

const LONG = 'A'.repeat(63);
const NAMES = [
  'iris',
  'Iris',
  'IRIS',
  'ir_is',
  'ir-is',
  '1iris',
  '9',
  '_',
  '-',
  LONG,
  `${LONG.slice(1)}b`,
  'a--',
  '__a',
];

test.each(NAMES)('names of %s are labels of DNS that leave room for what Knative adds', (name) => {
  const configuration = names.configurationName(name, name, { any: 'content' });
  const revision = names.knativeRevisionName(configuration);
  for (const made of [names.endpointObjectName(name), names.entityTag(name), configuration, revision])
    expect(made).toMatch(/^[a-z]([a-z0-9-]*[a-z0-9])?$/);
  expect(`${revision}-private`.length).toBeLessThanOrEqual(63);
  expect(revision.startsWith(`${configuration}-`)).toBe(true); // Knative wants it so
  expect(names.internalHost(name, 'models', name).split('.')[0]?.length).toBeLessThanOrEqual(63);
});

test('two endpoints never share an object, nor two entities of an endpoint', () => {
  expect(new Set(NAMES.map(names.endpointObjectName)).size).toBe(NAMES.length);
  expect(new Set(NAMES.map(names.entityTag)).size).toBe(NAMES.length);
});

test('internalHost() of an entity is its tag before the route', () => {
  const [route, tag] = [names.endpointObjectName('iris'), names.entityTag('iris-2')];
  expect(names.internalHost('iris', 'models')).toBe(`${route}.models.svc.cluster.local`);
  expect(names.internalHost('iris', 'models', 'iris-2')).toBe(`${tag}-${route}.models.svc.cluster.local`);
});

test('names of Databricks, drawn at random, keep all the rules', () => {
  const made = new Map<string, string>();
  for (const name of drawNames(2000)) {
    const configuration = names.configurationName(name, name, { name });
    const revision = names.knativeRevisionName(configuration);
    for (const object of [names.endpointObjectName(name), names.entityTag(name), configuration, revision])
      expect(object).toMatch(/^[a-z](?:[a-z0-9-]*[a-z0-9])?$/);
    expect(names.endpointObjectName(name).length).toBeLessThanOrEqual(27);
    expect(names.entityTag(name).length).toBeLessThanOrEqual(14);
    expect(revision.length).toBeLessThanOrEqual(55);
    expect(names.internalHost(name, 'models', name).split('.')[0]?.length).toBeLessThanOrEqual(63);
    expect(made.get(names.endpointObjectName(name)) ?? name).toBe(name);
    made.set(names.endpointObjectName(name), name);
  }
});

test.each(['team', 'team-1.a', 'a'.repeat(253)])('%s is the name of an object', (name) => {
  expect(names.OBJECT_NAME.test(name)).toBe(true);
});

test.each(['', 'Team', 'team_1', '-a', 'a-', 'a..b', '.a', 'a'.repeat(254)])('%j is the name of no object', (name) => {
  expect(names.OBJECT_NAME.test(name)).toBe(false);
});

/** The same names in each run: letters of all kinds, and many that differ by little. */
function drawNames(count: number): readonly string[] {
  const letters = 'aAbB019_-';
  let seed = 1;
  const next = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + next(63) }, () => letters[next(letters.length)]).join(''),
  );
}
