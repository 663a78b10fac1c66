import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { ensureVirtualenv, makeVirtualenvRequest } from '../../python/ensure-virtualenv.ts';
import { parseLock, renderLock } from '../../schemas/lock/lock.ts';
import { lockEndpoint } from '../../validation/lock-endpoint.ts';
import { validateEndpoint } from '../../validation/validate-endpoint.ts';
import { writeWheel } from '../helpers/write-package.ts';
import { makeEndpoint, makeProject, writeFiles } from './throw-away-project.ts';

test('lockEndpoint() pins everything with hashes, once for entities with the same packages, and always as the same text', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1', 'iris/2': 'iris/2' });
  const endpoint = makeEndpoint('e', { one: 'iris/1', two: 'iris/2' });
  const { lock, changed, entities, diagnostics } = await lockEndpoint(endpoint, { root });
  expect([diagnostics, changed]).toEqual([[], true]);
  expect(entities.map((e) => e.reason)).toEqual(['no lock yet', 'no lock yet']);
  expect(Object.keys(lock!.virtualenvs)).toHaveLength(1);
  expect(lock!.entities['one']!.virtualenv).toBe(lock!.entities['two']!.virtualenv);
  const [virtualenv] = Object.values(lock!.virtualenvs);
  expect(virtualenv!.python).toBe('3.11');
  for (const p of virtualenv!.packages) expect(p.hashes.length, p.name).toBeGreaterThan(0);
  const text = renderLock(lock!);
  expect(text).not.toMatch(/https?:/);
  expect(parseLock(text, 'e.lock')).toEqual({ lock, diagnostics: [] });
  expect(renderLock((await lockEndpoint(endpoint, { root })).lock!)).toBe(text);
});

test('lockEndpoint() leaves what did not change alone, without asking anybody', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1', 'iris/2': 'iris/2' });
  const current = (await lockEndpoint(makeEndpoint('e', { one: 'iris/1' }), { root })).lock!;
  vi.stubEnv('PATH', '/nonexistent');
  vi.stubEnv('DAVIT_CACHE', join(root, 'cache'));
  const again = await lockEndpoint(makeEndpoint('e', { one: 'iris/1' }), { root, current });
  vi.unstubAllEnvs();
  expect(again).toEqual({
    lock: current,
    changed: false,
    entities: [{ entity: 'one', changed: false, reason: undefined }],
    diagnostics: [],
  });
  const more = await lockEndpoint(makeEndpoint('e', { one: 'iris/1', two: 'iris/2' }), { root, current });
  expect(more.entities.map((e) => [e.entity, e.reason])).toEqual([
    ['one', undefined],
    ['two', 'the entity is new'],
  ]);
});

test('lockEndpoint() keeps the pins there are, takes edits, and drops entities that are gone', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1' });
  const before = (await lockEndpoint(makeEndpoint('e', { one: 'iris/1', two: 'iris/1' }), { root })).lock!;
  const key = before.entities['one']!.virtualenv;
  // An older version of something that is nobody's own requirement.
  const packages = before.virtualenvs[key]!.packages.map((p) =>
    p.name === 'packaging' ? { ...p, version: '24.1' } : p,
  );
  const current = { ...before, virtualenvs: { [key]: { ...before.virtualenvs[key]!, packages } } };
  const edited = makeEndpoint('e', { one: 'iris/1' }, { one: { requirements: { add: ['humanize==4.9.0'] } } });
  const version = (lock: typeof before, name: string) =>
    lock.virtualenvs[lock.entities['one']!.virtualenv]!.packages.find((p) => p.name === name)?.version;
  const kept = await lockEndpoint(edited, { root, current });
  expect(kept.entities).toEqual([{ entity: 'one', changed: true, reason: 'the edits of its requirements changed' }]);
  expect([version(kept.lock!, 'packaging'), version(kept.lock!, 'humanize')]).toEqual(['24.1', '4.9.0']);
  expect(Object.keys(kept.lock!.entities)).toEqual(['one']);
  expect(kept.lock!.entities['one']!.requirements).toContain('humanize==4.9.0');
  const upgraded = await lockEndpoint(edited, { root, current: kept.lock, upgrade: true });
  expect(version(upgraded.lock!, 'packaging')).not.toBe('24.1');
});

const IMPOSSIBLE: readonly (readonly [string, string, string, string | undefined])[] = [
  [
    'e1_conflict',
    '',
    'numpy==1.21.6 has no wheel for Python 3.11 on Linux, expected one such as 2.',
    'requirements.txt:2',
  ],
  ['iris/1', 'threadpoolctl==2.2.0', 'scikit-learn==1.9.1 needs threadpoolctl>=3', 'requirements.txt:6'],
  [
    'f1_python39',
    '',
    'mlflow==3.17.2 needs Python >=3.10, and the model was saved with Python 3.9',
    'requirements.txt:1',
  ],
  ['iris/1', 'humanize==99.0.1', 'there is no version 99.0.1 of humanize, expected one such as', 'requirements.txt:6'],
  ['iris/1', 'docopt==0.6.2', 'no version of docopt has a wheel for Python 3.11 on Linux', 'requirements.txt:6'],
  ['iris/1', 'numpy==2.4.5', 'both numpy==2.4.5 and numpy==2.4.6 are required', 'requirements.txt:6'],
];

test.each(IMPOSSIBLE)('lockEndpoint() explains why %s %s cannot be resolved', async (fixture, line, why, where) => {
  const root = await makeProject({ 'm/1': fixture });
  const file = join(root, 'models', 'm', '1', 'requirements.txt');
  if (line) await writeFile(file, `${await readFile(file, 'utf8')}\n${line}\n`);
  const endpoint = makeEndpoint('e', { m: 'm/1' });
  const { lock, diagnostics } = await lockEndpoint(endpoint, { root });
  expect(lock).toBeUndefined();
  expect(diagnostics).toHaveLength(1);
  const [found] = diagnostics;
  expect(found).toMatchObject({ code: 'resolution-failed', severity: 'error', ...endpoint.entities[0]!.place });
  expect(found!.message).toContain(`Cannot install the requirements of m 1: ${why}`);
  expect(found!.hint).toContain(`See ${where ?? ''} of the model`);
});

test('lockEndpoint() says at once what is wrong with every requirement, and what it says repairs them', async () => {
  const root = await makeProject({ 'm/1': 'm_obedient' });
  await writeFiles(root, { 'models/m/1/requirements.txt': 'davit-no-such-package\nhumanize==0.0.99\nnumpy==99.0\n' });
  const { diagnostics } = await lockEndpoint(makeEndpoint('e', { m: 'm/1' }), { root });
  const errors = diagnostics.filter((d) => d.severity === 'error');
  expect(errors.map((d) => d.code)).toEqual(['requirements-missing', ...Array<string>(3).fill('resolution-failed')]);
  const edits = errors.flatMap((d) => [...(d.hint ?? '').matchAll(/"([^"]+)" to \S+\.requirements\.(add|remove)/g)]);
  const [add, remove] = ['add', 'remove'].map((to) => edits.flatMap(([, text, o]) => (o === to ? [text] : [])));
  expect(remove).toEqual(['davit-no-such-package']);
  const repaired = makeEndpoint('e', { m: 'm/1' }, { m: { requirements: { add, remove } } });
  expect((await lockEndpoint(repaired, { root })).diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
});

test('lockEndpoint() says at once what is wrong with every entity, and throws when the index is out of reach', async () => {
  const root = await makeProject({ 'a/1': 'e1_conflict', 'b/1': 'j1_sklearn_drift', 'c/1': 'iris/1' });
  const endpoint = makeEndpoint('e', { a: 'a/1', b: 'b/1', c: 'c/1' });
  const { lock, diagnostics } = await lockEndpoint(endpoint, { root });
  expect(lock).toBeUndefined();
  expect(diagnostics.map((d) => d.code)).toEqual(['resolution-failed', 'version-drift']);
  vi.stubEnv('UV_DEFAULT_INDEX', 'http://me:hunter2@127.0.0.1:9/simple');
  vi.stubEnv('UV_HTTP_RETRIES', '0');
  const outage = await lockEndpoint(makeEndpoint('e', { c: 'c/1' }), { root, upgrade: true }).catch((e: unknown) =>
    String(e),
  );
  vi.unstubAllEnvs();
  expect(outage).toMatch(/^Error: Cannot reach the package index: /);
  expect(outage).not.toContain('hunter2');
});

test('lockEndpoint() does not blame the requirements when uv may not ask the index', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1' });
  vi.stubEnv('UV_OFFLINE', '1');
  vi.stubEnv('UV_CACHE_DIR', join(root, 'uv-cache'));
  const outage = await lockEndpoint(makeEndpoint('e', { iris: 'iris/1' }), { root }).catch((e: unknown) => String(e));
  vi.unstubAllEnvs();
  expect(outage).toMatch(/^Error: Cannot query the package index: UV_OFFLINE is set/);
});

test('a wheel inside the model is locked by its path and hash, and installed from there', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1' });
  const model = join(root, 'models', 'iris', '1');
  const wheel = join(model, 'code', 'helper-1.2-py3-none-any.whl');
  await writeFiles(model, { 'requirements.txt': 'humanize==4.9.0\ncode/helper-1.2-py3-none-any.whl\n' });
  await mkdir(join(model, 'code'), { recursive: true });
  writeWheel(wheel, { 'helper.py': 'X = 1\n' });
  const endpoint = makeEndpoint('e', { iris: 'iris/1' });
  const { lock, diagnostics } = await lockEndpoint(endpoint, { root, policies: [{ missing_module: 'ignore' }] });
  expect(diagnostics).toEqual([]);
  const packages = lock!.virtualenvs[lock!.entities['iris']!.virtualenv]!.packages;
  expect(packages.map((p) => [p.name, p.version, p.source])).toEqual([
    ['helper', '1.2', 'code/helper-1.2-py3-none-any.whl'],
    ['humanize', '4.9.0', undefined],
  ]);
  vi.stubEnv('DAVIT_CACHE', join(root, 'cache'));
  const made = await ensureVirtualenv(makeVirtualenvRequest(lock!, 'iris', model));
  vi.unstubAllEnvs();
  expect(execFileSync(made.python, ['-c', 'import helper; print(helper.X)'], { encoding: 'utf8' })).toBe('1\n');
  await writeFile(wheel, 'something else');
  const { diagnostics: after } = await validateEndpoint(endpoint, { root, lock });
  expect(after.map((d) => d.message)).toEqual(['Cannot use the lock for "iris": the files of iris 1 changed']);
});

test('lockEndpoint() resolves also where other things are wrong, and says everything', async () => {
  const root = await makeProject({ 'a/1': 'e2_no_such_version' });
  const { lock, diagnostics } = await lockEndpoint(makeEndpoint('e', { a: 'a/1' }), { root });
  expect(lock).toBeUndefined();
  expect(diagnostics.map((d) => d.code)).toEqual(['resolution-failed', 'version-drift']);
});

test('lockEndpoint() takes the version that saved the model where the requirements leave it open', async () => {
  const root = await makeProject({ 'm/1': 'm_obedient' });
  const folder = join(root, 'models', 'm', '1');
  const save = async (version: string, ...requirements: readonly string[]) => {
    const text = await readFile(join(folder, 'MLmodel'), 'utf8');
    const saved = text.replace(/ {4}cloudpickle_version: .*\n/, '').replace('python_function:\n', `$&    cloudpickle_version: ${version}\n`); // prettier-ignore
    await writeFiles(folder, {
      MLmodel: saved,
      'requirements.txt': ['mlflow-skinny==3.17.2', 'pandas==3.1.1', ...requirements].join('\n'),
    });
  };
  const endpoint = makeEndpoint('e', { m: 'm/1' });
  const lock = async (options: { current?: Parameters<typeof lockEndpoint>[1]['current']; upgrade?: boolean } = {}) => {
    const locked = await lockEndpoint(endpoint, { root, ...options });
    const packages = Object.values(locked.lock?.virtualenvs ?? {}).flatMap((v) => v.packages);
    const errors = locked.diagnostics.filter((d) => d.severity === 'error').map((d) => d.message);
    return { ...locked, errors, version: packages.find((p) => p.name === 'cloudpickle')?.version };
  };
  await save('3.0.0', 'cloudpickle');
  const first = await lock();
  expect([first.errors, first.version]).toEqual([[], '3.0.0']);
  expect((await lock({ current: first.lock, upgrade: true })).version).toBe('3.0.0');
  // A new version of the model was saved with another one, and the lock still has the pin of the old one.
  await save('3.1.1', 'cloudpickle>=2');
  const second = await lock({ current: first.lock });
  expect([second.errors, second.version]).toEqual([[], '3.1.1']);
  await save('3.1.1', 'cloudpickle==3.0.0');
  expect((await lock()).errors).toEqual([expect.stringMatching(/cloudpickle 3.0.0: it was saved with 3.1.1/)]);
});

test('lockEndpoint() asks nobody about what is only for another system', async () => {
  const root = await makeProject({ 'm/1': 'iris/1' });
  const file = join(root, 'models', 'm', '1', 'requirements.txt');
  const wheel = 'https://davit.invalid/helper-1.0-cp311-cp311-win_amd64.whl';
  const others = [
    `helper @ ${wheel} ; sys_platform == "win32"`,
    'no-such-package-of-davit==1 ; python_version < "3.5"',
  ];
  await writeFile(file, `${await readFile(file, 'utf8')}\n${others.join('\n')}\n`);
  const { lock, diagnostics } = await lockEndpoint(makeEndpoint('e', { m: 'm/1' }), { root });
  expect(diagnostics).toEqual([]);
  expect(lock!.entities['m']!.requirements).toHaveLength(7);
});
