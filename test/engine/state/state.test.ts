import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { identifyProcess, type ProcessIdentity, renderIdentity } from '../../../system/process-identity.ts';
import type { Backend } from '../../../engine/state/backend.ts';
import {
  adoptPendingCreates,
  countPendingOperations,
  type StackState,
} from '../../../engine/state/pending-operations.ts';
import { checkHolder, recordHolder } from '../../../engine/state/lock-holders.ts';
import type { PulumiProject } from '../../../engine/pulumi-project.ts';
import { releaseLocks } from '../../../engine/state/release-locks.ts';
import { readStateLocks, releaseDeadLocks, renderStateLock } from '../../../engine/state/state-lock.ts';

const since = '2026-11-23T01:02:03.000000004Z';

test('releaseDeadLocks() removes only locks of processes of this machine that are gone', async () => {
  const { backend, lock, note } = await makeBackend();
  const gone = await lock('gone', { pid: 999_999_999, hostname: hostname() });
  await note({ ...identifyProcess(), pid: 999_999_999 });
  const reused = await lock('reused', { pid: process.pid, hostname: hostname() });
  await note({ ...identifyProcess(), started: '1' });
  const elsewhere = await lock('elsewhere', { pid: 1, hostname: 'elsewhere' });

  const locks = await readStateLocks('i.local', backend);
  expect(new Map(locks.map(({ pid, alive }) => [pid, alive]))).toEqual(
    new Map([
      [1, undefined],
      [999_999_999, false],
      [process.pid, false],
    ]),
  );
  const stay = await releaseDeadLocks(locks, backend);
  expect(stay).toEqual([{ file: elsewhere, user: 'ann', host: 'elsewhere', pid: 1, since, alive: undefined }]);
  expect([gone, reused, elsewhere].map((file) => existsSync(file))).toEqual([false, false, true]);
});

test.each([
  ['another container of this machine', { namespace: '1' }],
  ['another machine that has the name of this one', { boot: 'another', machine: 'another' }],
  ['a plain pulumi that nobody has noted', undefined],
])('releaseDeadLocks() leaves alone the lock of %s', async (_what, of) => {
  const { backend, lock, note } = await makeBackend();
  const file = await lock('theirs', { pid: 999_999_999, hostname: hostname() });
  if (of) await note({ ...identifyProcess(), pid: 999_999_999, ...of });
  const locks = await readStateLocks('i.local', backend);
  expect(await releaseDeadLocks(locks, backend)).toMatchObject([{ file, alive: undefined }]);
  expect(existsSync(file)).toBe(true);
});

test('recordHolder() notes which process an engine is as long as it runs', async () => {
  const { backend, folder } = await makeBackend();
  const forget = await recordHolder(backend, process.pid);
  expect(await checkHolder(folder, process.pid)).toBe('runs');
  await forget();
  expect(await checkHolder(folder, process.pid)).toBe('unknown');
});

test('recordHolder() forgets engines that are gone, unless a lock of theirs is there', async () => {
  const { backend, folder, lock, note } = await makeBackend();
  await lock('left', { pid: 999_999_998, hostname: hostname() });
  for (const pid of [999_999_998, 999_999_999, process.ppid]) await note({ ...identifyProcess(pid), pid });
  await note({ ...identifyProcess(), pid: 999_999_997, namespace: '1' });
  await recordHolder(backend, process.pid);
  const checks = [999_999_999, 999_999_998, process.ppid, 999_999_997].map((pid) => checkHolder(folder, pid));
  expect(await Promise.all(checks)).toEqual(['unknown', 'gone', 'runs', 'unknown']);
  expect(await readdir(join(folder, '.pulumi', 'davit-holders'))).toHaveLength(4);
});

test('releaseLocks() removes the records of the holders, unless a lock or a running engine needs them', async () => {
  const { backend, folder, lock, note } = await makeBackend();
  const [container, other, running] = [999_999_997, 999_999_998, process.pid];
  for (const pid of [container, other, running]) await lock(`elsewhere-${pid}`, { pid, hostname: 'elsewhere' });
  const locks = await readStateLocks('i.local', backend);
  for (const pid of [container, other]) await note({ ...identifyProcess(), pid, namespace: '1' });
  for (const namespace of [identifyProcess().namespace, '1']) await note({ ...identifyProcess(), namespace });
  await lock('own', { pid: other, hostname: hostname() });
  await releaseLocks({ backend } as PulumiProject, 'i.local', locks);
  const records = await readdir(join(folder, '.pulumi', 'davit-holders'));
  expect(records.map((name) => Number.parseInt(name, 10)).sort((a, b) => a - b)).toEqual([running, other]);
  expect(await readStateLocks('i.local', backend)).toMatchObject([{ pid: other, host: hostname() }]);
});

test('readStateLocks() finds none where there is none, and none in a bucket', async () => {
  const { backend } = await makeBackend();
  expect(await readStateLocks('i.local', backend)).toEqual([]);
  expect(await readStateLocks('i.local', { url: 's3://b', folder: undefined, project: 'p' })).toEqual([]);
});

test('renderStateLock() says who, since when, and how to go on', () => {
  const lock = { file: 'f', user: 'ann', host: 'box', pid: 7, since, alive: true };
  expect(renderStateLock('i.local', lock)).toBe(
    `Cannot change "i.local": it is locked by process 7 of ann on box since ${since}; wait until it is done, or stop it with Ctrl-C there or with: kill -INT 7`,
  );
  expect(renderStateLock('i.local', { ...lock, alive: undefined })).toContain('pulumi cancel -s i.local');
});

test('countPendingOperations() looks into the state of a file backend', async () => {
  const { backend, folder } = await makeBackend();
  const file = join(folder, '.pulumi', 'stacks', 'p', 'i.local.json');
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, JSON.stringify({ version: 3, checkpoint: { latest: { pending_operations: [{}, {}] } } }));
  expect(await countPendingOperations('i.local', backend)).toBe(2);
  expect(await countPendingOperations('other', backend)).toBeUndefined();
  await writeFile(file, '{ "versi');
  await expect(countPendingOperations('i.local', backend)).rejects.toThrow(
    `Cannot read the state in ${file}: it is not JSON. The state file of a stack is damaged: restore the previous one`,
  );
});

describe('adoptPendingCreates()', () => {
  const resource = (urn: string, type: string) => ({ urn, type, custom: true, inputs: { a: 1 } });
  const revision = resource(
    'urn:pulumi:i.local::p::davit:index:Endpoint$davit:local:Revision::i-1',
    'davit:local:Revision',
  );
  const route = resource('urn:pulumi:i.local::p::davit:local:Route::i', 'davit:local:Route');
  const provider = resource('urn:pulumi:i.local::p::pulumi:providers:davit::local', 'pulumi:providers:davit');
  const endpoint = {
    ...resource('urn:pulumi:i.local::p::davit:index:Endpoint::i', 'davit:index:Endpoint'),
    custom: false,
  };
  const adopt = (resources: object[], pending: [string, object][]) => {
    const operations = pending.map(([type, of]) => ({ type, resource: of }));
    const deployment = { manifest: { time: 'now' }, resources, pending_operations: operations };
    const state = adoptPendingCreates({ version: 3, deployment } as unknown as StackState);
    const { resources: after } = state.deployment;
    expect(state).toEqual({ version: 3, deployment: { ...deployment, resources: after, pending_operations: [] } });
    return after;
  };

  test('takes what was being created into the state, under the id it must have, and to be looked at first', () => {
    expect(adopt([provider], [['creating', revision]])).toEqual([
      provider,
      { ...revision, id: 'i-1', outputs: { a: 1 }, refreshBeforeUpdate: true },
    ]);
  });

  test('leaves away what has no id of its own, and is made again: a group, a provider', () => {
    expect(adopt([], [['creating', endpoint]])).toEqual([]);
    expect(adopt([], [['creating', provider]])).toEqual([]);
  });

  test.each(['creating', 'updating', 'deleting'])('has what is there and was %s looked at first', (type) => {
    expect(
      adopt(
        [endpoint, provider, route],
        [
          [type, route],
          [type, endpoint],
          [type, provider],
        ],
      ),
    ).toEqual([endpoint, provider, { ...route, refreshBeforeUpdate: true }]);
  });
});

async function makeBackend() {
  const folder = await mkdtemp(join(tmpdir(), 'davit-backend-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const backend: Backend = { url: `file://${folder}`, folder, project: 'p' };
  const locks = join(folder, '.pulumi', 'locks', 'organization', 'p', 'i.local');
  const lock = async (name: string, owner: { readonly pid: number; readonly hostname: string }) => {
    await mkdir(locks, { recursive: true });
    await writeFile(join(locks, `${name}.json`), JSON.stringify({ ...owner, username: 'ann', timestamp: since }));
    return join(locks, `${name}.json`);
  };
  const note = async (identity: ProcessIdentity) => {
    const holders = join(folder, '.pulumi', 'davit-holders');
    await mkdir(holders, { recursive: true });
    await writeFile(join(holders, `${identity.pid}_${identity.boot}_${identity.namespace}`), renderIdentity(identity));
  };
  return { folder, backend, lock, note };
}
