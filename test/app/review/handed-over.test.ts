import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type FetchedEndpoint, mergeFetched } from '../../../app/review/fetched.ts';
import { type HandedOverVersion, requireHandedOver, requireVirtualenv } from '../../../app/review/handed-over.ts';
import { makeUnread } from '../../../app/review/validate-changed.ts';
import { type Diagnostic, makeError, makeWarning } from '../../../schemas/diagnostic.ts';
import type { Lock } from '../../../schemas/lock/lock.ts';
import { keepRegistryCard, readKeptCard } from '../../../validation/card/kept-card.ts';
import { NO_ANSWER } from '../../../validation/card/read-registry-card.ts';
import { ComparisonError } from '../../../validation/comparison/comparison-error.ts';

let cache = '';
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'davit-handed-over-'));
  vi.stubEnv('DAVIT_CACHE', cache);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true, force: true });
});

const PLACE = { file: 'endpoints/iris.yaml', line: 3, column: 5 };
const VERSION: HandedOverVersion = { python: null, has_builds: false, missing: null };

function makeFetched(diagnostics: readonly Diagnostic[], version = VERSION): FetchedEndpoint {
  const unread = makeUnread({ endpoint: 'iris', change: 'changed', because: [] });
  return { ...unread, diagnostics: [...diagnostics], handedOver: { new: { iris: version }, old: {} } };
}

test('the warnings of the job that computed the lock are reported, each once', () => {
  const [drift, both] = ['another scikit-learn', 'numpy was withdrawn'].map((m) =>
    makeWarning('package-yanked', PLACE, m),
  );
  if (!drift || !both) throw new Error('no warnings');
  const { diagnostics } = mergeFetched({ entities: [], diagnostics: [both] } as never, makeFetched([drift, both]));
  expect(diagnostics.map((d) => d.message).toSorted()).toEqual(['another scikit-learn', 'numpy was withdrawn']);
});

test('a lock with built wheels and private packages says why they cannot be installed together', () => {
  const failed = makeError('install-failed', PLACE, 'acme was not found', 'Check the name');
  const merge = (builds: boolean) =>
    mergeFetched({ entities: [], diagnostics: [failed] } as never, makeFetched([], { ...VERSION, has_builds: builds }));
  expect(merge(false).diagnostics).toEqual([failed]);
  expect(merge(true).diagnostics[0]?.message).toMatch(/build_wheels.*private indexes.*acme was not found/);
});

test('a version of the base branch that was not handed over is an outage, and one with a fault is not', () => {
  const thrown = (found: HandedOverVersion | undefined): unknown => {
    try {
      requireHandedOver(found);
      return undefined;
    } catch (e) {
      return e;
    }
  };
  const missing = (cause: 'fault' | 'outage') => thrown({ ...VERSION, missing: { why: 'it is gone', cause } });
  expect(thrown(VERSION)).toBeUndefined();
  expect(missing('fault')).toBeInstanceOf(ComparisonError);
  for (const error of [thrown(undefined), missing('outage')]) {
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(ComparisonError);
  }
});

test('a virtualenv that this runner cannot use is an outage that names both Pythons', async () => {
  const virtualenv = { python: '3.11', platform: 'x86_64-manylinux_2_28', packages: [] };
  const entity = { model: { python_version: '3.11.7' }, virtualenv: 'v' };
  const lock = { endpoint: 'iris', entities: { iris: entity }, virtualenvs: { v: virtualenv } } as unknown as Lock;
  const requireFor = (python: string | null) => requireVirtualenv({ lock, entity: 'iris' }, { ...VERSION, python }, {});
  await requireFor(null);
  await expect(requireFor('3.11.99')).rejects.toThrow(/made with Python 3\.11\.99: .*images differ\. Re-run all jobs/);
});

test('a kept registry card is the same for the job that reads it', async () => {
  const model = { name: 'iris', version: '2', digest: 'sha256:1', python_version: '3.11' } as never;
  expect(await readKeptCard(model)).toBeUndefined();
  const card = {
    fields: new Map([['registered by', 'ada']]),
    pages: { model: 'https://m.example/#/models/iris', run: null },
  };
  await keepRegistryCard(model, card);
  expect(await readKeptCard(model)).toEqual(card);
  await keepRegistryCard(model, NO_ANSWER);
  expect(await readKeptCard(model)).toBe(NO_ANSWER);
});
