import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { type CacheEntry, fillCache, findCachedEngine } from '../../../engine/install/cached-engine.ts';
import { findPulumi } from '../../../engine/install/find-pulumi.ts';
import { isNewEnough } from '../../../engine/install/pulumi-version.ts';
import { findOnPath } from '../../../engine/install/source-path.ts';
import { SILENT } from '../../../system/progress.ts';

const ENTRY: CacheEntry = { key: '3.225.0-0123456789', version: '3.225.0', source: 'build' };

afterEach(() => void vi.unstubAllEnvs());

test.each([
  ['3.225.0', true],
  ['3.225.1', true],
  ['3.300.0-alpha.1', true],
  ['3.224.9', false],
  ['4.0.0', false],
  ['2.999.0', false],
  ['', false],
])('isNewEnough() judges %s', (version, expected) => {
  expect(isNewEnough(version)).toBe(expected);
});

test.each([
  ['a new one with its language host', 'v3.230.0', true, '3.230.0'],
  ['one that is too old', 'v3.200.0', true, undefined],
  ['one without a language host', 'v3.230.0', false, undefined],
])('findOnPath() judges %s', async (_what, says, withHost, version) => {
  const folder = await makeFolder();
  await script(join(folder, 'pulumi'), `echo ${says}`);
  if (withHost) await script(join(folder, 'pulumi-language-nodejs'), 'exit 0');
  const found = version && { command: join(folder, 'pulumi'), version, source: 'path' };
  expect(await findOnPath(`/nowhere:${folder}`)).toEqual(found);
});

test('findOnPath() does not take an engine of the cache for the user’s', async () => {
  const cache = await makeFolder();
  vi.stubEnv('DAVIT_CACHE', cache);
  const bin = join(cache, 'pulumi', 'x', 'bin');
  await mkdir(bin, { recursive: true });
  await script(join(bin, 'pulumi'), 'echo v3.230.0');
  await script(join(bin, 'pulumi-language-nodejs'), 'exit 0');
  expect(await findOnPath(bin)).toBeUndefined();
});

test('findPulumi() names what it tried and what to do when there is nothing', async () => {
  vi.stubEnv('DAVIT_PULUMI_SOURCE', 'path');
  vi.stubEnv('PATH', '/nowhere');
  await expect(findPulumi()).rejects.toThrow(
    /^Cannot find the Pulumi engine\. Tried:\n {2}- the PATH: no pulumi 3\.225\.0 or newer .*\nDo one of these: install Pulumi/,
  );
});

test('findPulumi() refuses a source that does not exist', async () => {
  vi.stubEnv('DAVIT_PULUMI_SOURCE', 'moon');
  await expect(findPulumi()).rejects.toThrow('Cannot use DAVIT_PULUMI_SOURCE "moon": expected path, download or build');
});

test('fillCache() fills once for two at a time, and removes what a killed one left', async () => {
  const cache = await makeFolder();
  vi.stubEnv('DAVIT_CACHE', cache);
  const leftover = join(cache, 'pulumi', `${ENTRY.key}.1-00000000.new`);
  await mkdir(leftover, { recursive: true });
  const fills: string[] = [];
  const fill = async (folder: string) => {
    fills.push(folder);
    await mkdir(join(folder, 'bin'));
    await script(join(folder, 'bin', 'pulumi'), 'echo v3.225.0');
  };
  const engine = { command: join(cache, 'pulumi', ENTRY.key, 'bin', 'pulumi'), version: '3.225.0', source: 'build' };
  const both = [fillCache(ENTRY, { progress: SILENT }, fill), fillCache(ENTRY, { progress: SILENT }, fill)];
  expect(await Promise.all(both)).toEqual([engine, engine]);
  expect([fills.length, existsSync(leftover)]).toEqual([1, false]);
});

test('fillCache() leaves nothing when filling fails', async () => {
  vi.stubEnv('DAVIT_CACHE', await makeFolder());
  const failing = fillCache(ENTRY, { progress: SILENT }, () => Promise.reject(new Error('no network')));
  await expect(failing).rejects.toThrow('no network');
  expect(await findCachedEngine(ENTRY, SILENT)).toBeUndefined();
});

test('findCachedEngine() takes a touched engine, and not one with other bytes', async () => {
  vi.stubEnv('DAVIT_CACHE', await makeFolder());
  const { command } = await fillCache(ENTRY, { progress: SILENT }, async (folder) => {
    await mkdir(join(folder, 'bin'));
    await writeFile(join(folder, 'bin', 'pulumi'), 'engine');
  });
  await utimes(command, 1, 1);
  expect(await findCachedEngine(ENTRY, SILENT)).toMatchObject({ command });
  await writeFile(command, 'ENGINE');
  const said: string[] = [];
  expect(await findCachedEngine(ENTRY, { say: (line) => said.push(line) })).toBeUndefined();
  expect(said).toEqual(['The cached Pulumi 3.225.0 was modified; installing it again']);
  expect(await readFile(command, 'utf8')).toBe('ENGINE');
});

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'davit-find-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function script(file: string, line: string): Promise<void> {
  await writeFile(file, `#!/bin/sh\n${line}\n`);
  await chmod(file, 0o755);
}
