import { expect, test } from 'vitest';
import { planImage } from '../../images/plan-image.ts';
import type { Lock, LockedPackage } from '../../schemas/lock/lock.ts';
import { SAMPLE_LOCK, SAMPLE_SETTINGS } from './sample-lock.ts';

const request = {
  endpoint: { name: 'Iris_v2' },
  entity: { name: 'iris' },
  lock: SAMPLE_LOCK,
  settings: SAMPLE_SETTINGS,
};

test('planImage() names an image by what it is made of', async () => {
  const plan = await planImage(request);
  expect(plan.repository).toMatch(/^ghcr\.io\/acme\/models\/iris-v2-[0-9a-f]{8}$/);
  expect(plan.tag).toMatch(/^[0-9a-f]{32}-d{32}$/);
  expect(plan).toMatchObject({
    reference: `${plan.repository}:${plan.tag}`,
    stackHash: plan.tag.slice(0, 32),
    context: `.davit/images/${plan.tag}`,
    model: { name: 'iris', version: '2', digest: `sha256:${'d'.repeat(64)}` },
  });
  expect(plan.stack).toMatchObject({
    base: SAMPLE_SETTINGS.bases['3.11'],
    platform: 'linux/amd64',
    python: '3.11',
    packagePlatform: 'x86_64-manylinux_2_28',
    packages: SAMPLE_LOCK.virtualenvs['python3.11-fb4b205ded']?.packages,
  });
  expect(plan.stack.frontPackages.map((p) => p.name)).toContain('uvicorn');
});

const otherBase = {
  ...SAMPLE_SETTINGS,
  bases: { '3.11': SAMPLE_SETTINGS.bases['3.11']!.replace('sha256:e', 'sha256:f') },
};
const POLICY = { repository: 'acme/models', workflow: 'acme/davit/.github/workflows/deploy.yaml', branch: 'main' };
const CHANGES: readonly [string, Partial<typeof request>][] = [
  ['a package', { lock: withPackages([{ name: 'numpy', version: '2.4.7', hashes: [] }]) }],
  [
    "a package's hash",
    { lock: withPackages([{ name: 'numpy', version: '2.4.6', hashes: [`sha256:${'c'.repeat(64)}`] }]) },
  ],
  ['the base image', { settings: otherBase }],
  ['a Debian package', { settings: { ...SAMPLE_SETTINGS, packages: ['libgomp1'] } }],
  ['a policy of attestations', { settings: { ...SAMPLE_SETTINGS, provenance: POLICY } }],
];

test.each(CHANGES)('%s makes another stack', async (_what, change) => {
  const [before, after] = [await planImage(request), await planImage({ ...request, ...change })];
  expect(after.stackHash).not.toBe(before.stackHash);
  expect(after.tag.split('-')[1]).toBe(before.tag.split('-')[1]);
});

test('another model has the same stack, and another name or version of the same files is the same image', async () => {
  const before = await planImage(request);
  const model = { ...SAMPLE_LOCK.entities['iris']!.model, digest: `sha256:${'9'.repeat(64)}` };
  expect(await planImage({ ...request, lock: withModel(model) })).toMatchObject({
    stackHash: before.stackHash,
    tag: `${before.stackHash}-${'9'.repeat(32)}`,
  });
  const renamed = { ...SAMPLE_LOCK.entities['iris']!.model, name: 'flowers', version: '3' };
  expect((await planImage({ ...request, lock: withModel(renamed) })).reference).toBe(before.reference);
});

const PROBLEMS: readonly [Partial<typeof request>, string][] = [
  [
    { settings: { ...SAMPLE_SETTINGS, bases: { '3.12': 'x', '3.13': 'y' } } },
    'Cannot make an image of "iris": the environment has no base image for Python 3.11, expected one in images.bases, which has 3.12, 3.13',
  ],
  [
    { settings: { ...SAMPLE_SETTINGS, bases: { '3.11': 'python:3.11-slim' } } },
    'Cannot make an image of "iris" on "python:3.11-slim": it has no digest, expected NAME@sha256:… in images.bases',
  ],
  [
    { settings: { ...SAMPLE_SETTINGS, platform: 'linux/arm64' } },
    'Cannot make an image of "iris" for linux/arm64: its packages are locked for x86_64-manylinux_2_28, expected images.platform linux/amd64',
  ],
  [
    { lock: withVirtualenv({ python: '3.9' }) },
    'Cannot make an image of "iris": it needs Python 3.9, expected 3.10 or newer',
  ],
  [{ entity: { name: 'other' } }, 'Cannot make an image of "other": the lock of "iris" does not contain it'],
];

test.each(PROBLEMS)('an image that cannot be made is refused: %#', async (change, message) => {
  await expect(planImage({ ...request, ...change })).rejects.toThrow(new Error(message));
});

function withPackages(packages: readonly LockedPackage[]): Lock {
  return withVirtualenv({ packages: [...packages] });
}

function withVirtualenv(change: Partial<Lock['virtualenvs'][string]>): Lock {
  const [[key, virtualenv]] = Object.entries(SAMPLE_LOCK.virtualenvs) as [[string, Lock['virtualenvs'][string]]];
  return { ...SAMPLE_LOCK, virtualenvs: { [key]: { ...virtualenv, ...change } } };
}

function withModel(model: Lock['entities'][string]['model']): Lock {
  return { ...SAMPLE_LOCK, entities: { iris: { ...SAMPLE_LOCK.entities['iris']!, model } } };
}
