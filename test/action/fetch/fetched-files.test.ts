import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { packFetched, unpackFetched } from '../../../action/fetch/fetched-files.ts';
import type { Job } from '../../../action/job.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-fetched-files-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

const marker = (key: string, unchecked: boolean) => JSON.stringify({ format: 2, key, ...(unchecked && { unchecked }) });

function makeJob(result: string): Job {
  const inputs = { fetched: 'fetched', results: { fetch: result } };
  return { inputs, runner: { workspace: folder }, signal: new AbortController().signal } as unknown as Job;
}

async function write(file: string, text: string): Promise<string> {
  await mkdir(dirname(join(folder, file)), { recursive: true });
  await writeFile(join(folder, file), text);
  return join(folder, file);
}

async function makeVirtualenv(at: string, text: string): Promise<string> {
  await mkdir(join(folder, at, 'bin'), { recursive: true });
  await symlink(process.execPath, join(folder, at, 'bin/python'));
  await write(`${at}/davit.json`, text);
  return join(folder, at);
}

test('what is handed over never replaces a complete entry of the cache, and replaces an incomplete one', async () => {
  vi.stubEnv('DAVIT_CACHE', join(folder, 'sender'));
  const files = [
    await makeVirtualenv('sender/virtualenvs/checked', marker('checked', true)),
    await makeVirtualenv('sender/virtualenvs/broken', marker('broken', true)),
    dirname(await write('sender/models/a/MLmodel', 'sent')),
    dirname(await write('sender/models/b/MLmodel', 'sent')),
    await write('sender/modules/m.json', '[]'),
  ];
  await write('fetched/report.json', '{}');
  await packFetched(join(folder, 'fetched'), files, makeJob('success'));

  vi.stubEnv('DAVIT_CACHE', join(folder, 'cache'));
  await makeVirtualenv('cache/virtualenvs/checked', marker('checked', false));
  await write('cache/virtualenvs/broken/half', '');
  await write('cache/models/a/MLmodel', 'kept');
  expect(await unpackFetched(makeJob('success'))).toEqual({ folder: join(folder, 'fetched') });
  const read = (file: string) => readFile(join(folder, 'cache', file), 'utf8');
  expect(await read('virtualenvs/checked/davit.json')).toBe(marker('checked', false));
  expect(await read('virtualenvs/broken/davit.json')).toBe(marker('broken', true));
  expect(await readdir(join(folder, 'cache/virtualenvs/broken'))).not.toContain('half');
  expect([await read('models/a/MLmodel'), await read('models/b/MLmodel'), await read('modules/m.json')]).toEqual(['kept', 'sent', '[]']); // prettier-ignore
  expect((await readdir(join(folder, 'cache'))).toSorted()).toEqual(['models', 'modules', 'virtualenvs']);
});

test.each([
  ['success', 'the files of the job "fetch" were deleted, because they are kept for one day: re-run all jobs'],
  ['failure', 'the job "fetch" ended with "failure" and has left no report; see its log'],
])('a job "fetch" that ended with %s and has no files here says what to do', async (result, missing) => {
  expect(await unpackFetched(makeJob(result))).toEqual({ missing });
});
