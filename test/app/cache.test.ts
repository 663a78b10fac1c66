import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { listCacheEntries } from '../../app/cache/cache-entries.ts';
import { keepCacheBelowLimit, pruneByAge, pruneToLimit, readCacheLimit } from '../../app/cache/prune-cache.ts';
import { markUsed } from '../../system/cache.ts';

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

const names = async (kind: string) => (await readdir(join(cache, kind))).sort();

test('pruneToLimit() removes the least recently used, only what is made by itself, and nothing of the last day', async () => {
  for (const [path, days] of [
    ['virtualenvs/old', 9],
    ['virtualenvs/new', 0],
    ['models/older', 20],
    ['models/middle', 5],
    ['cluster/images', 90],
  ] as const)
    await make(path, days);
  expect((await pruneToLimit(170 * KIB)).map((e) => e.path)).toEqual([
    join(cache, 'models/older'),
    join(cache, 'virtualenvs/old'),
  ]);
  expect([await names('models'), await names('virtualenvs')]).toEqual([['middle'], ['new']]);
  expect((await pruneToLimit(1)).map((e) => e.path)).toEqual([join(cache, 'models/middle')]);
  expect([await names('virtualenvs'), await names('cluster')]).toEqual([['new'], ['images']]);
});

test('pruneByAge() keeps what a process uses, what is being made, what was used meanwhile, and the state of the engine', async () => {
  const used = await make('virtualenvs/used', 40);
  await make('virtualenvs/making', 40);
  await make('virtualenvs/making.lock', 40);
  await make('virtualenvs/unused', 40);
  await markUsed(await make('virtualenvs/marked', 40));
  await make('pulumi/home', 400);
  await make('node/v24/module', 40);
  const program = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => 0, 1000)', used], {
    stdio: 'pipe',
  });
  await once(program.stdout, 'data');
  const removed = await pruneByAge(30);
  program.kill();
  await once(program, 'close');
  expect(removed.map((e) => e.path).sort()).toEqual([
    join(cache, 'node/v24/module'),
    join(cache, 'virtualenvs/unused'),
  ]);
  expect(await names('virtualenvs')).toEqual(['making', 'making.lock', 'marked', 'used']);
  expect(existsSync(join(cache, 'pulumi/home/data'))).toBe(true);
});

test('listCacheEntries() measures entries and leaves out locks and folders in the making', async () => {
  await make('virtualenvs/a', 3);
  for (const name of ['a.lock', 'b.12-ab.new', 'c.ab.removed']) await make(`virtualenvs/${name}`, 3);
  await mkdir(join(cache, 'locks'));
  await writeFile(join(cache, 'locks/x.lock'), 'lock_version: 1\n');
  const entries = await listCacheEntries(['virtualenvs', 'locks', 'models']);
  expect(entries.map((e) => e.path)).toEqual([join(cache, 'virtualenvs/a'), join(cache, 'locks/x.lock')]);
  expect(entries[0]?.bytes).toBeGreaterThanOrEqual(64 * KIB);
  expect((Date.now() - entries[0]!.lastUsed) / 86_400_000).toBeCloseTo(3, 1);
});

test('keepCacheBelowLimit() works once a day, says what it did, and never fails a command', async () => {
  await make('virtualenvs/a', 3);
  vi.stubEnv('DAVIT_CACHE_LIMIT', 'much');
  const said: string[] = [];
  await keepCacheBelowLimit((line) => said.push(line));
  await keepCacheBelowLimit((line) => said.push(line));
  expect(said).toEqual([
    'Cannot prune the cache: Cannot use DAVIT_CACHE_LIMIT=much: expected an amount of disk space, such as 10Gi. npx davit cache shows it',
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
