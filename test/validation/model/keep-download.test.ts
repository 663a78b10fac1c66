import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { locateDownload } from '../../../system/locate-model.ts';
import { keepDownload } from '../../../validation/model/downloads/download-once.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-keep-'));
  vi.stubEnv('DAVIT_CACHE', join(folder, 'cache'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

test('downloads of equal content at the same time keep one folder, and never remove it', async () => {
  const digest = `sha256:${'0a'.repeat(32)}`;
  const downloads = ['models', 'runs', 'again'];
  for (const name of downloads) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'MLmodel'), '');
    await writeFile(join(folder, name, name), '');
  }
  await Promise.all(downloads.map((name) => keepDownload(join(folder, name), digest, {})));
  const kept = (await readdir(locateDownload(digest))).filter((name) => name !== 'MLmodel');
  const left = (await readdir(folder)).filter((name) => downloads.includes(name));
  expect(kept).toHaveLength(1);
  expect([...left, ...kept].sort()).toEqual(downloads.toSorted());
});
