import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { cacheFolder } from '../../../system/cache.ts';
import {
  explainNoAnswer,
  findWithdrawnTime,
  summarizeWithdrawn,
} from '../../../validation/withdrawn/find-withdrawn.ts';
import { hashIndex, queryUnlessDown } from '../../../validation/withdrawn/index-outage.ts';
import { listQueried, queryAll } from '../../../validation/withdrawn/query-withdrawn.ts';

afterEach(() => void vi.unstubAllEnvs());

const lockPackages = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ name: `p${i}`, version: '1', hashes: [] }));

/** An index that no longer has some versions, of which uv names one at a time. */
function makeIndex(gone: readonly string[], yanked: readonly string[]) {
  const describe = (name: string, isGone: boolean) => ({ name, version: '1', reason: undefined, isGone });
  return (asked: readonly { readonly name: string }[]) => {
    const missing = asked.find((p) => gone.includes(p.name));
    const found = asked.filter((p) => yanked.includes(p.name)).map((p) => describe(p.name, false));
    return Promise.resolve(missing ? { gone: describe(missing.name, true) } : { yanked: found });
  };
}

test('packages of an address, and those whose wheels Davit has built, are not queried', () => {
  const [plain] = lockPackages(1);
  const built = { ...plain!, name: 'built', built: { from: 'x', with: [] } };
  expect(listQueried([plain!, built, { ...plain!, source: 'https://x/y.whl' }])).toEqual([plain]);
});

test.each([
  [1, ['p1', 'p9'], 0],
  [8, ['p0', 'p1', 'p2', 'p3', 'p30', 'p4', 'p5'], 10],
])('withdrawn versions are found beside %i deleted ones', async (count, names, unchecked) => {
  const gone = Array.from({ length: count }, (_, i) => (count === 1 ? 'p1' : `p${i}`));
  const found = await queryAll(lockPackages(40), makeIndex(gone, [count === 1 ? 'p9' : 'p30']));
  expect(found).toMatchObject({ packages: names.map((name) => ({ name })), unchecked });
});

test('only withdrawn versions in a lock are an answer too', async () => {
  expect(await queryAll(lockPackages(2), makeIndex(['p0', 'p1'], []))).toMatchObject({ unchecked: 0 });
  expect(await queryAll(lockPackages(2), () => Promise.resolve('outage'))).toBe('outage');
});

test('the index of an answer is known without the credentials for it', () => {
  const hash = (variables: NodeJS.ProcessEnv) => hashIndex({ PATH: '/bin', ...variables });
  expect(hash({ UV_DEFAULT_INDEX: 'https://a/simple' })).not.toBe(hash({}));
  for (const name of ['UV_DEFAULT_INDEX', 'UV_INDEX', 'UV_INDEX_URL', 'UV_EXTRA_INDEX_URL']) {
    for (const written of ['https://me:one@a/simple', 'https://me:o@ne@a/simple'])
      expect(hash({ [name]: written })).toBe(hash({ [name]: 'https://a/simple' }));
    expect(hash({ [name]: 'https://a/simple?token=one' })).toBe(hash({ [name]: 'https://a/simple?token=two' }));
    expect(hash({ [name]: 'https://a/simple' })).not.toBe(hash({ [name]: 'https://b/simple' }));
  }
  expect(hash({ UV_INDEX_A_PASSWORD: 'one', UV_INDEX_A_USERNAME: 'me' })).toBe(hash({}));
});

async function useOwnCache() {
  const cache = await mkdtemp(join(tmpdir(), 'davit-outage-'));
  onTestFinished(() => rm(cache, { recursive: true, force: true }));
  vi.stubEnv('DAVIT_CACHE', cache);
}

test('one outage ends the queries of an index, in this process and for a while in others', async () => {
  await useOwnCache();
  let queries = 0;
  const query = () => Promise.resolve((queries += 1) > 0 ? ('outage' as const) : 'answer');
  const all = await Promise.all([1, 2, 3].map(() => queryUnlessDown('a'.repeat(32), query)));
  expect([all, queries]).toEqual([['outage', 'outage', 'outage'], 1]);
  const [file = ''] = await readdir(cacheFolder('withdrawn'));
  expect(Object.keys(JSON.parse(await readFile(join(cacheFolder('withdrawn'), file), 'utf8')) as object)).toEqual([
    'failed',
  ]);
  const earlier = (minutes: number) => JSON.stringify({ failed: Date.now() - minutes * 60_000 });
  await writeFile(join(cacheFolder('withdrawn'), `${'b'.repeat(32)}.json`), earlier(14));
  await writeFile(join(cacheFolder('withdrawn'), `${'c'.repeat(32)}.json`), earlier(16));
  const answer = () => Promise.resolve('answer');
  expect(await queryUnlessDown('b'.repeat(32), answer)).toBe('outage');
  expect(await queryUnlessDown('c'.repeat(32), answer)).toBe('answer');
});

test('JSON has when the index has answered about all packages, and a line tells no answer from an old one', async () => {
  await useOwnCache();
  const [old, now] = [Date.parse('2026-11-28T10:00:00Z'), Date.parse('2026-11-30T10:00:00Z')];
  const state = (asked: number | undefined) => ({ asked, unchecked: 1 });
  expect(summarizeWithdrawn([state(now), state(old)])).toEqual({ asked: '2026-11-28T10:00:00.000Z', unchecked: 2 });
  expect(summarizeWithdrawn([state(now), state(undefined)]).asked).toBeNull();
  const lock = { python: '3.11', platform: 'x86_64-manylinux_2_28', packages: lockPackages(1) };
  expect(await findWithdrawnTime([lock])).toEqual({ asked: null, unchecked: 0 });
  expect(explainNoAnswer('outage', undefined)).toContain('it is not known whether locked versions were withdrawn');
  expect(explainNoAnswer('outage', { asked: old })).toContain('using its answer of 2026-11-28');
});
