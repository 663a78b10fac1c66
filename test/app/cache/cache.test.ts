import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { listCacheEntries } from '../../../app/cache/cache-entries.ts';
import { ALL_CACHE_KINDS } from '../../../app/cache/cache-kinds.ts';
import { keepCacheBelowLimit, pruneByAge, pruneToLimit, readCacheLimit } from '../../../app/cache/prune-cache.ts';
import { summarizeKinds } from '../../../app/cache/summarize-kinds.ts';
import { cacheFolder, markUsed } from '../../../system/cache.ts';
import { codePath } from '../../../system/code.ts';

const KIB = 1024;
let cache = '';

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'davit-cache-'));
  vi.stubEnv('DAVIT_CACHE', cache);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true });
});

/** An entry of 64 KiB that was used some days ago. */
async function make(path: string, days: number): Promise<string> {
  const folder = join(cache, path);
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'data');
  await writeFile(file, Buffer.alloc(64 * KIB, 1));
  const then = new Date(Date.now() - days * 24 * 3600 * 1000);
  await utimes(file, then, then);
  await utimes(folder, then, then);
  return folder;
}

/** The name of an entry whose key is the hash of something. */
const key = (n: number) => String(n).padStart(20, '0');

const names = async (kind: string) => (await readdir(join(cache, kind))).sort();

test('every folder that Davit makes in its cache is one of the kinds, otherwise it would refuse to prune its own cache', () => {
  const rooms =
    '{app,cluster,engine,images,infra,kubernetes,local,offline,python,sandbox,system,tools,validation}/**/*.ts';
  const made = globSync(rooms, { cwd: codePath('.') }).flatMap((file) =>
    [...readFileSync(codePath(file), 'utf8').matchAll(/\bcacheFolder\('(\w+)'/g)].map(([, kind = '']) => kind),
  );
  expect(made.length).toBeGreaterThan(20);
  expect(made.filter((kind) => !ALL_CACHE_KINDS.some((k) => k === kind) && kind !== 'test')).toEqual([]);
});

test('pruneToLimit() removes the least recently used, only what is made by itself, and nothing of the last day', async () => {
  for (const [path, days] of [
    [`virtualenvs/${key(1)}`, 9],
    [`virtualenvs/${key(2)}`, 0],
    [`models/${key(3)}`, 20],
    [`models/${key(4)}`, 5],
    ['models/iris', 99],
    ['cluster/images-0123456789', 90],
  ] as const)
    await make(path, days);
  const prune = async (limit: number) => (await pruneToLimit(limit))?.removed.map((e) => e.path);
  expect(await prune(170 * KIB)).toEqual([join(cache, 'models', key(3)), join(cache, 'virtualenvs', key(1))]);
  expect([await names('models'), await names('virtualenvs')]).toEqual([[key(4), 'iris'], [key(2)]]);
  expect(await prune(1)).toEqual([join(cache, 'models', key(4))]);
  expect([await names('virtualenvs'), await names('cluster')]).toEqual([[key(2)], ['images-0123456789']]);
});

test('pruneByAge() keeps what a process uses, what is being made, what was used meanwhile, and the state of the engine', async () => {
  const used = await make(`virtualenvs/${key(1)}`, 40);
  await make(`virtualenvs/${key(2)}`, 40);
  await make(`virtualenvs/${key(2)}.lock`, 40);
  await make(`virtualenvs/${key(3)}`, 40);
  await markUsed(await make(`virtualenvs/${key(4)}`, 40));
  await make('pulumi/home', 400);
  await make('node/v24.1.0-x64-ab-0/module', 40);
  const program = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => 0, 1000)', used], {
    stdio: 'pipe',
  });
  await once(program.stdout, 'data');
  const { removed } = await pruneByAge(30);
  await pruneByAge(0); // keeps what was marked a moment ago
  program.kill();
  await once(program, 'close');
  expect(removed.map((e) => e.path).sort()).toEqual([
    join(cache, 'node/v24.1.0-x64-ab-0/module'),
    join(cache, 'virtualenvs', key(3)),
  ]);
  expect(await names('virtualenvs')).toEqual([key(1), key(2), `${key(2)}.lock`, key(4)]);
  expect(existsSync(join(cache, 'pulumi/home/data'))).toBe(true);
});

test.each(['models', '.'])(
  'a folder of others is never pruned: DAVIT_CACHE=%s beside files of a user',
  async (folder) => {
    await make(`models/${key(1)}`, 400);
    await make('models/iris', 400);
    await writeFile(join(cache, 'README.md'), '');
    const before = process.cwd();
    process.chdir(cache);
    onTestFinished(() => process.chdir(before));
    vi.stubEnv('DAVIT_CACHE', folder);
    await expect(pruneByAge(0)).rejects.toThrow(/^Cannot remove anything from .*, expected a folder of Davit's own/);
    await expect(pruneToLimit(0)).rejects.toThrow(/which Davit did not make/);
    expect(await names('models')).toEqual([key(1), 'iris']);
  },
);

test.each([
  [{ DAVIT_CACHE: '', XDG_CACHE_HOME: '' }, join(homedir(), '.cache/davit/models')],
  [{ DAVIT_CACHE: '', XDG_CACHE_HOME: 'relative' }, join(homedir(), '.cache/davit/models')],
  [{ DAVIT_CACHE: '', XDG_CACHE_HOME: '/caches' }, '/caches/davit/models'],
  [{ DAVIT_CACHE: '.', XDG_CACHE_HOME: '/caches' }, resolve('models')],
])('cacheFolder() with %j is absolute, and empty variables count as none', (variables, folder) => {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  expect(cacheFolder('models')).toBe(folder);
});

test('work files that a killed process left a day ago are counted and removed, one entry that cannot be is reported', async () => {
  const long = await make(`node/v24.0.0-x64/${'1'.repeat(252)}`, 3); // the name of its lock would be too long
  await make(`models/${key(1)}.12-0123abcd.new`, 3);
  await make(`models/${key(2)}.12-0123abcd.new`, 0.5);
  await make(`models/${key(3)}.0123abcd.removed`, 3);
  await make(`models/${key(4)}`, 3);
  await make(`models/${key(5)}`, 3);
  const { removed, failed } = await pruneByAge(0);
  const why = expect.stringContaining('ENAMETOOLONG') as string;
  expect(failed).toEqual([{ path: long, why }]);
  expect(removed.map((e) => e.path)).toEqual(
    [`${key(1)}.12-0123abcd.new`, `${key(3)}.0123abcd.removed`, key(4), key(5)].map((name) =>
      join(cache, 'models', name),
    ),
  );
  expect(await names('models')).toEqual([`${key(2)}.12-0123abcd.new`]);
});

test('a cache that cannot be measured in the time is measured on by the next commands, and then pruned', async () => {
  for (let n = 1; n < 6; n++) await make(`models/${key(n)}`, 3);
  vi.stubEnv('DAVIT_CACHE_LIMIT', '1Ki');
  const said: string[] = [];
  for (let command = 0; command < 9; command++) await keepCacheBelowLimit((line) => said.push(line), 0);
  await keepCacheBelowLimit((line) => said.push(line));
  expect(said).toEqual(['Removed 5 old entries of the cache (0.0 GiB)']);
});

test('listCacheEntries() measures entries and leaves out locks and what Davit did not make', async () => {
  await make(`virtualenvs/${key(1)}`, 3);
  for (const name of [`${key(1)}.lock`, 'somebody']) await make(`virtualenvs/${name}`, 3);
  await mkdir(join(cache, 'locks'));
  await writeFile(join(cache, 'locks', `${key(2)}.lock`), 'lock_version: 1\n');
  const { entries } = await listCacheEntries(['virtualenvs', 'locks', 'models']);
  expect(entries.map((e) => e.path)).toEqual([
    join(cache, 'virtualenvs', key(1)),
    join(cache, 'locks', `${key(2)}.lock`),
  ]);
  expect(entries[0]?.bytes).toBeGreaterThanOrEqual(64 * KIB);
  expect((Date.now() - entries[0]!.lastUsed) / 86_400_000).toBeCloseTo(3, 1);
});

test('keepCacheBelowLimit() works once a day, says what it did, and never fails a command', async () => {
  await make(`virtualenvs/${key(1)}`, 3);
  vi.stubEnv('DAVIT_CACHE_LIMIT', 'much');
  const said: string[] = [];
  await keepCacheBelowLimit((line) => said.push(line));
  await keepCacheBelowLimit((line) => said.push(line));
  expect(said).toEqual([
    'Cannot prune the cache: Cannot use DAVIT_CACHE_LIMIT=much: expected an amount of disk space, such as 10Gi. Run npx davit cache to see what it holds',
  ]);
  await rm(join(cache, 'last-pruned'));
  vi.stubEnv('DAVIT_CACHE_LIMIT', '1Ki');
  await keepCacheBelowLimit((line) => said.push(line));
  expect(said.at(-1)).toBe('Removed 1 old entries of the cache (0.0 GiB)');
});

test.each([
  ['', 10 * 2 ** 30],
  ['2GiB', 2 * 2 ** 30],
  ['500Mi', 500 * 2 ** 20],
])('readCacheLimit() reads %j', (text, bytes) => {
  vi.stubEnv('DAVIT_CACHE_LIMIT', text);
  expect(readCacheLimit()).toBe(bytes);
});

test('summarizeKinds() counts more entries than a call may have arguments', () => {
  const day = 24 * 3600 * 1000;
  const entry = { kind: 'node', path: '/a', bytes: 2, lastUsed: Date.now(), removable: true } as const;
  const entries = [...Array.from({ length: 300_000 }, () => entry), { ...entry, lastUsed: Date.now() - 3 * day }];
  expect(summarizeKinds(entries)).toEqual([{ kind: 'node', entries: 300_001, bytes: 600_002, oldestDays: 3 }]);
});
