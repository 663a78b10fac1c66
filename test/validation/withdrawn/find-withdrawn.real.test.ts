import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { findUv } from '../../../python/find-uv.ts';
import { cacheFolder } from '../../../system/cache.ts';
import { locateProblem, makeSubject } from '../../../validation/subject.ts';
import { describeWithdrawn } from '../../../validation/withdrawn/describe-withdrawn.ts';
import { findWithdrawn, findWithdrawnTime } from '../../../validation/withdrawn/find-withdrawn.ts';
import { makeEndpoint } from '../throw-away-project.ts';

afterEach(() => void vi.unstubAllEnvs());

/** A package index (PEP 691) of version 1.0 of every package. Counts its requests. */
async function startIndex(yanked: Readonly<Record<string, string | boolean>>) {
  const index = { requests: 0, isDown: false };
  const server = createServer((request, response) => {
    index.requests += 1;
    if (index.isDown) return void response.writeHead(503).end();
    const name = request.url?.split('/')[2] ?? '';
    const file = { filename: `${name}-1.0-py3-none-any.whl`, url: `/${name}.whl`, yanked: yanked[name] ?? false };
    const page = { meta: { 'api-version': '1.1' }, name, files: [{ ...file, hashes: { sha256: '0'.repeat(64) } }] };
    response.writeHead(200, { 'content-type': 'application/vnd.pypi.simple.v1+json' }).end(JSON.stringify(page));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cache = await mkdtemp(join(tmpdir(), 'davit-withdrawn-'));
  await findUv(); // so that the cache has it
  await symlink(cacheFolder('uv'), join(cache, 'uv'));
  vi.stubEnv('DAVIT_CACHE', cache);
  onTestFinished(async () => {
    server.close();
    await rm(cache, { recursive: true, force: true });
  });
  vi.stubEnv('UV_DEFAULT_INDEX', `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple/`);
  vi.stubEnv('UV_CACHE_DIR', join(cache, 'packages'));
  vi.stubEnv('UV_HTTP_RETRIES', '0');
  vi.stubEnv('UV_INDEX', '');
  return index;
}

const lockOf = (...pins: readonly string[]) => ({
  python: '3.11',
  platform: 'x86_64-manylinux_2_28',
  packages: pins.map((pin) => ({ name: pin.split('==')[0]!, version: pin.split('==')[1]!, hashes: [] })),
});

test('a version that is withdrawn after it was locked is found, with its reason, and the index is asked once a day', async () => {
  const index = await startIndex({ evil: 'leaks memory\u202e', silent: true });
  const built = { ...lockOf('built==9.0').packages[0]!, built: { from: 'x', with: [] } };
  const plain = lockOf('evil==1.0', 'good==1.0', 'silent==1.0', 'gone==2.0');
  const lock = { ...plain, packages: [...plain.packages, built] };
  expect(await findWithdrawn(lock, { asksIndex: false })).toEqual({ packages: [], asked: undefined, unchecked: 0 });
  expect(index.requests).toBe(0);
  vi.stubEnv('UV_EXCLUDE_NEWER', '2000-01-01T00:00:00Z');
  const state = await findWithdrawn(lock, { asksIndex: true });
  const found = state.packages;
  expect(found).toEqual([
    { name: 'evil', version: '1.0', reason: 'leaks memory', isGone: false },
    { name: 'gone', version: '2.0', reason: undefined, isGone: true },
    { name: 'silent', version: '1.0', reason: undefined, isGone: false },
  ]);
  const { requests } = index;
  expect(await findWithdrawn(lock, { asksIndex: false })).toEqual(state);
  expect(await findWithdrawn(lock, { asksIndex: true })).toEqual(state);
  expect((await findWithdrawnTime([lock])).asked).toBe(new Date(state.asked!).toISOString());
  expect(index.requests).toBe(requests);
  vi.stubEnv('UV_EXTRA_INDEX_URL', 'http://127.0.0.1:9/simple/');
  expect(await findWithdrawn(lock, { asksIndex: true })).toMatchObject({ packages: [], asked: undefined });
  expect(await findWithdrawn(lock, { asksIndex: false })).toEqual(state);
  expect((await findWithdrawnTime([lock])).asked).toBeNull();
  const endpoint = makeEndpoint('e', { m: 'iris/1' });
  const subject = makeSubject(endpoint, endpoint.entities[0]!);
  const diagnostics = describeWithdrawn(subject, [], found).map((p) => locateProblem(subject, p));
  expect(diagnostics.map((d) => `${d.severity} ${d.code} ${d.message}`)).toEqual([
    'warning package-yanked Found evil 1.0 in the lock of iris 1: its authors have withdrawn this version (leaks memory)',
    'warning package-yanked Found gone 2.0 in the lock of iris 1: the index no longer has this version',
    'warning package-yanked Found silent 1.0 in the lock of iris 1: its authors have withdrawn this version',
  ]);
  expect(diagnostics[0]?.hint).toBe('Require another version of evil, or run npx davit lock --upgrade e');
});

test('an index that does not answer is asked once, and leaves the last answer', async () => {
  const index = await startIndex({ evil: 'old' });
  const lock = lockOf('evil==1.0');
  index.isDown = true;
  const both = [findWithdrawn(lock, { asksIndex: true }), findWithdrawn(lock, { asksIndex: true })];
  expect((await Promise.all(both)).map((s) => [s.packages, s.asked])).toEqual([[[], undefined], [[], undefined]]); // prettier-ignore
  expect(index.requests).toBe(1);
  expect(await findWithdrawn(lockOf('other==1.0'), { asksIndex: true })).toMatchObject({ asked: undefined });
  expect(index.requests).toBe(1);
});
