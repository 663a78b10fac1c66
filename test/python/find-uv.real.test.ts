import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { downloadUv } from '../../python/download-uv.ts';
import { findUv } from '../../python/find-uv.ts';
import { runProcess } from '../../system/run-process.ts';

let folder = '';
const lines: string[] = [];
const progress = { say: (line: string) => void lines.push(line) };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-uv-'));
  lines.length = 0;
  vi.stubEnv('DAVIT_CACHE', join(folder, 'cache'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

test(
  'findUv() installs the pinned uv into an empty cache, once for two callers, and says so',
  { timeout: 120_000 },
  async () => {
    vi.stubEnv('PATH', `${join(folder, 'bin')}${delimiter}/usr/bin${delimiter}/bin`);
    const [uv, again] = await Promise.all([findUv({ progress }), findUv({ progress })]);
    expect(again).toBe(uv);
    expect(uv).toMatch(/cache\/uv\/0\.13\.9\/bin\/uv$/);
    expect((await runProcess(uv, ['--version'])).stdout).toMatch(/^uv 0\.13\.9/);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toBe('Installing uv 0.13.9 (about 25 MB, once) …');
    // An older uv on the PATH is passed over, aloud; a shim (a script) is not even asked.
    await mkdir(join(folder, 'shims'));
    await writeFile(join(folder, 'shims', 'uv'), '#!/bin/sh\necho uv 99.0.0\n');
    await chmod(join(folder, 'shims', 'uv'), 0o755);
    vi.stubEnv('PATH', `${join(folder, 'shims')}${delimiter}/usr/bin`);
    expect(await findUv({ progress })).toBe(uv);
  },
);

test('downloadUv() needs no pip, and takes nothing whose hash it does not know', { timeout: 120_000 }, async () => {
  const text = await readFile(join(import.meta.dirname, '..', '..', 'python', 'uv-requirements.txt'), 'utf8');
  const hashes = [...text.matchAll(/sha256:([0-9a-f]{64})/g)].map(([, hash = '']) => hash);
  const wanted = { version: '0.13.9', python: '/usr/bin/python3' };
  await downloadUv(folder, { ...wanted, hashes });
  expect((await runProcess(join(folder, 'bin', 'uv'), ['--version'])).stdout).toMatch(/^uv 0\.13\.9/);
  expect(await readdir(folder)).toEqual(['bin']);
  const other = join(folder, 'other');
  await mkdir(other);
  await expect(downloadUv(other, { ...wanted, hashes: ['0'.repeat(64)] })).rejects.toThrow(
    'expected one of the pinned hashes',
  );
  expect(await readdir(other)).toEqual([]);
});

test('findUv() says what to do when no Python has pip', async () => {
  const empty = join(folder, 'empty');
  await mkdir(empty);
  await writeFile(join(empty, 'python3'), '#!/bin/sh\necho "No module named pip" >&2\nexit 1\n');
  await chmod(join(empty, 'python3'), 0o755);
  vi.stubEnv('PATH', empty);
  vi.stubEnv('PIP_INDEX_URL', 'http://127.0.0.1:9/simple');
  vi.stubEnv('PIP_RETRIES', '0');
  vi.stubEnv('PIP_NO_INDEX', '1');
  vi.stubEnv('PIP_FIND_LINKS', '');
  await expect(findUv({ progress })).rejects.toThrow(
    /^Cannot install uv: .*python3: No module named pip; .*Install uv yourself/s,
  );
});
