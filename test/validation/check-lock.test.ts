import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import type { Policy } from '../../schemas/environment/policy.ts';
import type { Lock } from '../../schemas/lock/lock.ts';
import {
  checkLockedEntity,
  checkNewEntities,
  checkRemovedEntities,
  reportMissingLock,
} from '../../validation/check-lock.ts';
import { checkModel } from '../../validation/model/check-model.ts';
import { makeLockedModel, renderRequirements } from '../../validation/locked-model.ts';
import { resolvePolicy } from '../../validation/policy.ts';
import { checkBuilt } from '../../validation/requirements/building/check-built.ts';
import { makeSubject } from '../../validation/subject.ts';
import { makeEndpoint, makeProject } from './throw-away-project.ts';

/** A lock as `davit lock` makes it, of the first entity of an endpoint; its virtualenv is empty. */
async function lockFirst(root: string, endpoint: Endpoint): Promise<Lock> {
  const subject = makeSubject(endpoint, endpoint.entities[0]!);
  const { checked } = await checkModel(subject, join(root, 'models', 'iris', subject.entity.model.version), {
    root,
    policy: resolvePolicy(),
  });
  const entity = {
    model: makeLockedModel(subject, checked!),
    requirements: [...renderRequirements(checked!)],
    virtualenv: 'v',
    signature: checked!.model.signature,
  };
  const virtualenvs = { v: { python: '3.11', platform: 'x86_64-manylinux_2_28', packages: [] } };
  return { lock_version: 1, endpoint: endpoint.name, entities: { [subject.entity.name]: entity }, virtualenvs };
}

async function check(root: string, endpoint: Endpoint, lock: Lock) {
  const subject = makeSubject(endpoint, endpoint.entities[0]!);
  const { checked } = await checkModel(subject, join(root, 'models', 'iris', subject.entity.model.version), {
    root,
    policy: resolvePolicy(),
  });
  return checkLockedEntity(subject, lock, checked!);
}

const edit = async (file: string, from: string, to: string) =>
  writeFile(file, (await readFile(file, 'utf8')).replace(from, to));

test('checkLockedEntity() finds nothing when nothing changed', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1' });
  const endpoint = makeEndpoint('e', { iris: 'iris/1' });
  expect(await check(root, endpoint, await lockFirst(root, endpoint))).toEqual([]);
});

test('checkLockedEntity() says on the entity what changed and what to do', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1', 'iris/2': 'iris/2' });
  const endpoint = makeEndpoint('e', { iris: 'iris/1' });
  const lock = await lockFirst(root, endpoint);
  const next = makeEndpoint('e', { iris: 'iris/2' });
  expect(await check(root, next, lock)).toEqual([
    {
      code: 'lock-stale',
      severity: 'error',
      ...next.entities[0]!.place,
      message: 'Cannot use the lock for "iris": it was made for iris 1, the endpoint says iris 2',
      hint: 'Run npx davit lock e and review the changes',
    },
  ]);
});

test('checkLockedEntity() refuses an MLflow that is too old, which only the lock names', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1' });
  const endpoint = makeEndpoint('e', { iris: 'iris/1' });
  const lock = await lockFirst(root, endpoint);
  lock.virtualenvs['v']!.packages.push({ name: 'mlflow', version: '2.9.2', hashes: [] });
  expect((await check(root, endpoint, lock)).map((d) => [d.code, d.message])).toEqual([
    ['version-unsupported', 'Cannot serve iris 1 with mlflow 2.9.2: it is too old, expected 2.10 or newer'],
  ]);
  lock.virtualenvs['v']!.packages[0]!.version = '2.10.0';
  expect(await check(root, endpoint, lock)).toEqual([]);
});

const MODEL = 'models/iris/1';
const CHANGES: readonly (readonly [string, (root: string) => Promise<void>])[] = [
  [
    'the requirements of iris 1 changed',
    (root) => edit(join(root, MODEL, 'requirements.txt'), 'skops==0.16.0', 'skops==0.15.0'),
  ],
  ['the files of iris 1 changed', (root) => writeFile(join(root, MODEL, 'notes.txt'), 'x')],
  ['the Python of iris 1 changed', (root) => edit(join(root, MODEL, 'python_env.yaml'), '3.11.7', '3.11.8')],
  ['the signature of iris 1 changed', (root) => edit(join(root, MODEL, 'MLmodel'), '"int64"', '"int32"')],
];

test.each(CHANGES)('checkLockedEntity() says: %s', async (reason, change) => {
  const root = await makeProject({ 'iris/1': 'iris/1' });
  const endpoint = makeEndpoint('e', { iris: 'iris/1' });
  const lock = await lockFirst(root, endpoint);
  await change(root);
  expect((await check(root, endpoint, lock)).map((d) => d.message)).toEqual([
    `Cannot use the lock for "iris": ${reason}`,
  ]);
});

test('checkLockedEntity() sees edits, new entities and a missing virtualenv', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1' });
  const endpoint = makeEndpoint('e', { iris: 'iris/1' });
  const lock = await lockFirst(root, endpoint);
  const message = async (e: Endpoint, l: Lock) => (await check(root, e, l)).map((d) => d.message.split(': ')[1]);
  const edited = makeEndpoint('e', { iris: 'iris/1' }, { iris: { requirements: { add: ['humanize==4.9.0'] } } });
  expect(await message(edited, lock)).toEqual(['the edits of its requirements changed']);
  const added = { ...makeEndpoint('e', { other: 'iris/1', iris: 'iris/1' }) };
  expect(await message(added, lock)).toEqual(['the entity is new']);
  expect(await message(endpoint, { ...lock, virtualenvs: {} })).toEqual(['its virtualenv v is not in the lock']);
});

test('a renamed entity has one error, which says its former name', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1' });
  const lock = await lockFirst(root, makeEndpoint('e', { 'iris-1': 'iris/1' }));
  const two = { ...lock, entities: { ...lock.entities, old: lock.entities['iris-1']! } };
  const say = (endpoint: Endpoint, from: Lock) =>
    [...checkNewEntities(endpoint, from), ...checkRemovedEntities(endpoint, from)].map((d) => [d.line, d.message]);
  const stale = (line: number, name: string, why: string) => [line, `Cannot use the lock for "${name}": ${why}`];
  expect(say(makeEndpoint('e', { champion: 'iris/1' }), lock)).toEqual([
    stale(5, 'champion', 'the entity was named "iris-1" when it was locked'),
  ]);
  const next = 'it was made for iris 1, named "iris-1", the endpoint says iris 2';
  expect(say(makeEndpoint('e', { 'iris-2': 'iris/2' }), lock)).toEqual([stale(5, 'iris-2', next)]);
  expect(say(makeEndpoint('e', { 'iris-2': 'iris/2', champion: 'iris/1', third: 'iris/1' }), two)).toEqual([
    stale(5, 'iris-2', 'the entity is new'),
    stale(10, 'champion', 'the entity was named "iris-1" when it was locked'),
    stale(15, 'third', 'the entity was named "old" when it was locked'),
  ]);
});

test('checkRemovedEntities() and reportMissingLock() speak of the whole lock', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1' });
  const endpoint = makeEndpoint('e', { iris: 'iris/1' });
  const lock = await lockFirst(root, endpoint);
  const other = makeEndpoint('e', { other: 'wine/1' });
  expect(checkRemovedEntities(endpoint, lock)).toEqual([]);
  expect(checkRemovedEntities(other, lock).map((d) => d.message)).toEqual([
    'Cannot use the lock for "iris": the endpoint no longer has this entity',
  ]);
  const missing = reportMissingLock(makeSubject(endpoint, endpoint.entities[0]!));
  expect([missing.code, missing.message, missing.hint]).toEqual([
    'lock-missing',
    'Cannot prove "iris": e has no lock',
    'Run npx davit lock e',
  ]);
});

test('checkLockedEntity() finds a lock that builds other packages than build_wheels names', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1' });
  const [plain, building] = [{}, { iris: { build_wheels: ['docopt'] } }].map((davit) =>
    makeEndpoint('e', { iris: 'iris/1' }, davit),
  );
  const makeLock = async (built: boolean) => {
    const docopt = { name: 'docopt', version: '0.6.2', hashes: [`sha256:${'a'.repeat(64)}`] };
    const from = { from: `sha256:${'b'.repeat(64)}`, with: [] };
    const lock = await lockFirst(root, plain!);
    const packages = [built ? { ...docopt, built: from } : docopt];
    return { ...lock, virtualenvs: { v: { ...lock.virtualenvs['v']!, packages } } };
  };
  const say = async (endpoint: Endpoint, built: boolean) =>
    (await check(root, endpoint, await makeLock(built))).map((d) => d.message);
  expect(await say(building!, true)).toEqual([]);
  expect(await say(plain!, false)).toEqual([]);
  expect(await say(plain!, true)).toEqual(['Cannot use the lock for "iris": build_wheels does not name docopt']);
  expect(await say(building!, false)).toEqual(['Cannot use the lock for "iris": build_wheels now names docopt']);

  const made = await makeLock(true);
  const [docopt] = made.virtualenvs.v.packages;
  const both = { ...docopt!, source: 'docopt-0.6.2-py3-none-any.whl' }; // parseLock() refuses it
  const lock = { ...made, virtualenvs: { v: { ...made.virtualenvs.v, packages: [both] } } };
  expect((await check(root, plain!, lock)).map((d) => d.code)).toEqual(['lock-stale']);

  const { packages } = (await makeLock(true)).virtualenvs.v;
  const subject = makeSubject(building!, building!.entities[0]!);
  const severities = (policy?: Policy) =>
    checkBuilt(subject, packages, resolvePolicy(policy && [policy], {})).map((p) => p.severity);
  expect([severities(), severities({ built_package: 'error' }), severities({ built_package: 'ignore' })]).toEqual([
    ['warning'],
    ['error'],
    [],
  ]);
  const [unused, ...others] = checkBuilt(subject, [], resolvePolicy([{ built_package: 'ignore' }], {}));
  expect([unused?.severity, unused?.message, unused?.hint, others]).toEqual([
    'warning',
    'Found docopt in build_wheels of "iris": no package of the lock has that name, so the entry only allows builds that nothing needs',
    'Remove docopt from davit.served_entities.iris.build_wheels in endpoints/e.yaml',
    [],
  ]);
});
