import { expect, test } from 'vitest';
import * as names from '../../schemas/kubernetes-names.ts';

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
