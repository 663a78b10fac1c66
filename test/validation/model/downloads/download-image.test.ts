import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { fetchModel } from '../../../../validation/model/fetch-model.ts';
import type { FetchOptions } from '../../../../validation/model/fetched-model.ts';
import { makeSubject } from '../../../../validation/subject.ts';
import { makeTar } from '../../../images/pull/make-tar.ts';
import { type ModelRegistry, startModelRegistry, USER } from '../../../images/pull/model-registry.ts';
import { makeEndpoint } from '../../throw-away-project.ts';

let folder: string;
let registry: ModelRegistry;
let uri: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-image-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  registry = await startModelRegistry();
  uri = `oci://${registry.host}/acme/iris:2`;
  const auth = Buffer.from(`${USER.username}:${USER.password}`).toString('base64');
  await writeFile(join(folder, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }));
  vi.stubEnv('DOCKER_CONFIG', folder);
  vi.stubEnv('DAVIT_CACHE', join(folder, 'cache'));
  vi.stubEnv('DAVIT_MODEL_SOURCES', `oci://${registry.host}/acme`);
  onTestFinished(() => void vi.unstubAllEnvs());
});

const push = (text: string) => registry.push('2', { layers: [{ content: makeTar({ 'models/MLmodel': text }) }] });

async function fetch(modelUri: string, options: Partial<FetchOptions> = {}) {
  const endpoint = makeEndpoint('e', { m: 'iris/1' }, { m: { model_uri: modelUri } });
  const { folder: model, diagnostics, resolved } = await fetchModel(makeSubject(endpoint, endpoint.entities[0]!), { root: folder, ...options }); // prettier-ignore
  const text = model === undefined ? undefined : await readFile(join(model, 'MLmodel'), 'utf8');
  return { text, resolved, said: diagnostics.map((d) => `${d.code}: ${d.message}. ${d.hint ?? ''}`).join('\n') };
}

function lock({ version }: { readonly version: string }): FetchOptions['locked'] {
  const resolved = { from: uri, version, at: '2026-11-30T10:00:00Z' };
  return { name: 'iris', version: '1', uri, resolved, digest: `sha256:${'0'.repeat(64)}`, python_version: '3.11.7' };
}

test('a tag is resolved to a digest, which the lock holds; a tag that moved makes the lock stale', async () => {
  const first = push('first');
  const { text, resolved } = await fetch(uri);
  expect(text).toBe('first');
  expect(resolved).toEqual({ from: uri, version: first, at: expect.any(String) as string });
  const second = push('second');
  const locked = lock({ version: first });
  const moved = `lock-stale: Cannot use the lock for "m": the tag 2 of ${registry.host}/acme/iris moved from ${first.slice(0, 19)}, resolved on 2026-11-30 10:00 UTC, to ${second.slice(0, 19)}. Run npx davit lock e and review the changes`;
  expect((await fetch(uri, { locked, aliases: 'checked' })).said).toBe(moved);
  expect((await fetch(uri, { locked, aliases: 'locked' })).text).toBe('first');
  expect(await fetch(uri, { locked, aliases: 'current' })).toMatchObject({ text: 'second', resolved: { version: second } }); // prettier-ignore
});

test('a tag is resolved by a registry that sends no digest, too', async () => {
  const version = push('first');
  registry.fault = { hidesDigest: true };
  expect(await fetch(uri)).toMatchObject({ text: 'first', resolved: { version } });
});

test('a digest needs no query for the tag, and a model that is in the cache no request at all', async () => {
  const fixed = `oci://${registry.host}/acme/iris@${push('first')}`;
  expect(await fetch(fixed)).toEqual({ text: 'first', resolved: undefined, said: '' });
  const before = registry.requests.length;
  expect((await fetch(fixed)).text).toBe('first');
  expect(registry.requests).toHaveLength(before);
});

test('a source that the environment does not allow gets no request', async () => {
  for (const allowed of [
    '',
    `oci://${registry.host}/other`,
    `oci://${registry.host}/acme/iris2`,
    `oci://${registry.host}/acme/ir`,
  ]) {
    // prettier-ignore
    vi.stubEnv('DAVIT_MODEL_SOURCES', allowed);
    expect((await fetch(uri)).said).toContain('its source is not allowed');
  }
  expect(registry.requests).toEqual([]);
});

test('what is missing, refused or not a model is explained without a word of the registry', async () => {
  push('first');
  expect((await fetch(uri.replace(':2', ':3'))).said).toContain(`${registry.host} has no tag "3" of acme/iris, or hides it from this account`); // prettier-ignore
  expect((await fetch(`oci://${registry.host}/acme/iris@sha256:${'0'.repeat(64)}`)).said).toContain('does not have the image'); // prettier-ignore
  registry.fault = { status: 403 };
  expect((await fetch(uri)).said).toContain(`access was denied. Run docker login ${registry.host}`);
  expect((await fetch(uri, { withheld: true })).said).toMatch(/^credentials-withheld: /);
  registry.fault = {};
  registry.push('2', { layers: [{ content: makeTar({ 'models/README.md': 'x' }) }] });
  expect((await fetch(uri)).said).toContain('it has "README.md", expected a folder with MLmodel. Put the model below /models of the image'); // prettier-ignore
});

test('a fault of the registry is an error, and no fault of the endpoint', async () => {
  push('first');
  registry.fault = { status: 418 };
  await expect(fetch(uri)).rejects.toThrow(`Cannot query the registry ${registry.host}: it answered 418`);
});

test.each([
  ['no tag', 'acme/iris'],
  ['a name that Docker would take for one of Docker Hub', '../registry/acme/iris:2'],
  ['capitals', 'acme/Iris:2'],
  ['a short digest', 'acme/iris@sha256:12'],
  ['another algorithm', `acme/iris@sha512:${'0'.repeat(128)}`],
])('a URI with %s is refused before any request', async (_, path) => {
  const said = (await fetch(path.startsWith('..') ? 'oci://registry/acme/iris:2' : `oci://${registry.host}/${path}`)).said; // prettier-ignore
  expect(said).toContain('it is not the name of an image with a tag or a digest. Write oci://REGISTRY/NAME:TAG');
  expect(registry.requests).toEqual([]);
});
