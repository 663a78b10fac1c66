import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { findCacheImage, listTags, readImageDigest } from '../../images/registry.ts';
import { MANIFEST_DIGEST, startRegistry } from './fake-registry.ts';

const NOBODY = { username: 'nobody', password: 'very secret' };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-docker-'));
  vi.stubEnv('DOCKER_CONFIG', folder);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });
});

test('readImageDigest() reads the digest of a tag, and knows a tag that is not there', async () => {
  const { host, requests } = await startRegistry();
  expect(await readImageDigest(`${host}/acme/iris:1`)).toBe(MANIFEST_DIGEST);
  expect(await readImageDigest(`${host}/acme/iris:2`)).toBeUndefined();
  expect(await readImageDigest(`${host}/acme/other:1`)).toBeUndefined();
  expect(requests).toEqual([
    'HEAD /v2/acme/iris/manifests/1',
    'HEAD /v2/acme/iris/manifests/2',
    'HEAD /v2/acme/other/manifests/1',
  ]);
});

test('a registry that does not tell the digest is asked for the manifest', async () => {
  const { host } = await startRegistry({ withoutDigestHeader: true });
  expect(await readImageDigest(`${host}/acme/iris:1`)).toBe(MANIFEST_DIGEST);
});

test('listTags() reads every page; findCacheImage() finds an image of the same stack', async () => {
  const { host, requests } = await startRegistry({ pageTags: 2 });
  expect(await listTags(`${host}/acme/iris`)).toHaveLength(3);
  expect(requests).toEqual([
    'GET /v2/acme/iris/tags/list?n=1000',
    'GET /v2/acme/iris/tags/list?last=bbbbbbbbbbbb-222222222222&n=2',
  ]);
  const repository = `${host}/acme/iris`;
  expect(await findCacheImage({ repository, stackHash: 'b'.repeat(12) })).toBe(
    `${repository}:bbbbbbbbbbbb-222222222222`,
  );
  expect(await findCacheImage({ repository, stackHash: 'c'.repeat(12) })).toBeUndefined();
  expect(await listTags(`${host}/acme/other`)).toEqual([]);
});

test('everybody gets a token where everybody may read', async () => {
  const { host } = await startRegistry({ auth: 'bearer' });
  expect(await readImageDigest(`${host}/acme/iris:1`)).toBe(MANIFEST_DIGEST);
});

test.each(['basic', 'bearer'] as const)('credentials of docker login: %s', async (auth) => {
  const { host } = await startRegistry({ auth, ...NOBODY });
  await login({ auths: { [host]: { auth: btoa('nobody:very secret') } } });
  expect(await readImageDigest(`${host}/acme/iris:1`)).toBe(MANIFEST_DIGEST);
});

test.each([
  [
    'kept under an address',
    (host: string) => ({ auths: { [`https://${host}/v1/`]: { auth: btoa('nobody:very secret') } } }),
  ],
  ['kept in plain words', (host: string) => ({ auths: { [host]: { username: 'nobody', password: 'very secret' } } })],
])('credentials %s', async (_where, configuration) => {
  const { host } = await startRegistry({ auth: 'basic', ...NOBODY });
  await login(configuration(host));
  expect(await readImageDigest(`${host}/acme/iris:1`)).toBe(MANIFEST_DIGEST);
});

test('an identity token is exchanged', async () => {
  const { host } = await startRegistry({ auth: 'bearer', ...NOBODY });
  await login({ auths: { [host]: { identitytoken: 'an-identity-token' } } });
  expect(await readImageDigest(`${host}/acme/iris:1`)).toBe(MANIFEST_DIGEST);
});

test('a token of the registry is used as it is', async () => {
  const { host } = await startRegistry({ auth: 'bearer', ...NOBODY });
  await login({ auths: { [host]: { registrytoken: 'a-token' } } });
  expect(await readImageDigest(`${host}/acme/iris:1`)).toBe(MANIFEST_DIGEST);
});

test.each([
  ['credHelpers', 'printf \'{"Username":"nobody","Secret":"very secret"}\''],
  ['credsStore', 'printf \'{"Username":"<token>","Secret":"an-identity-token"}\''],
])('a program of %s is asked for the registry', async (where, answer) => {
  const { host } = await startRegistry({ auth: 'bearer', ...NOBODY });
  await helper('fake', `[ "$(cat)" = "${host}" ] && [ "$1" = get ] && ${answer}`);
  await login(where === 'credsStore' ? { credsStore: 'fake' } : { credHelpers: { [host]: 'fake' } });
  expect(await readImageDigest(`${host}/acme/iris:1`)).toBe(MANIFEST_DIGEST);
});

test('a program that knows no credentials leaves those that are written', async () => {
  const { host } = await startRegistry({ auth: 'basic', ...NOBODY });
  await helper('empty', 'echo "credentials not found in native keychain"; exit 1');
  await login({ credsStore: 'empty', auths: { [host]: { auth: btoa('nobody:very secret') } } });
  expect(await readImageDigest(`${host}/acme/iris:1`)).toBe(MANIFEST_DIGEST);
});

test('a program that is not there, or fails, is named', async () => {
  const { host } = await startRegistry({ auth: 'basic', ...NOBODY });
  await login({ credsStore: 'nowhere' });
  await expect(readImageDigest(`${host}/acme/iris:1`)).rejects.toThrow(
    "Cannot start docker-credential-nowhere, which Docker's configuration names: expected it on the PATH",
  );
  await helper('broken', 'echo "very secret"; exit 3');
  await login({ credsStore: 'broken' });
  await expect(readImageDigest(`${host}/acme/iris:1`)).rejects.toThrow(
    `Cannot read the credentials of ${host}: docker-credential-broken ended with exit code 3`,
  );
});

test.each(['basic', 'bearer'] as const)(
  'without credentials a closed registry says what is missing: %s',
  async (auth) => {
    const { host } = await startRegistry({ auth, ...NOBODY });
    await expect(readImageDigest(`${host}/acme/iris:1`)).rejects.toThrow(
      auth === 'basic'
        ? `Cannot query the registry ${host}: it answered 401 for "acme/iris". Run docker login ${host} with an account that can read it`
        : `Cannot query the registry ${host}: it rejects requests without credentials (${host} answered 401). Run docker login ${host} with an account that can read it`,
    );
  },
);

test.each(['basic', 'bearer'] as const)('wrong credentials are refused and never repeated: %s', async (auth) => {
  const { host } = await startRegistry({ auth, ...NOBODY });
  await login({ auths: { [host]: { auth: btoa('nobody:wrong secret') } } });
  const refused = await readImageDigest(`${host}/acme/iris:1`).catch((e: unknown) => e as Error);
  expect(refused).toBeInstanceOf(Error);
  expect((refused as Error).message).toContain(`docker login ${host}`);
  expect(JSON.stringify([(refused as Error).message, (refused as Error).stack])).not.toMatch(/wrong secret|nobody/);
});

test('no password goes to another machine in the clear', async () => {
  const { host } = await startRegistry({ auth: 'bearer', ...NOBODY, realm: 'http://elsewhere.example.com/token' });
  await login({ auths: { [host]: { auth: btoa('nobody:very secret') } } });
  await expect(readImageDigest(`${host}/acme/iris:1`)).rejects.toThrow(
    `Cannot query the registry ${host}: it requires a token from "http://elsewhere.example.com", expected an https URL`,
  );
});

test.each([429, 500, 503])('a registry that answers %i is asked again', async (status) => {
  const { host, requests } = await startRegistry({ failing: { times: 1, status } });
  expect(await readImageDigest(`${host}/acme/iris:1`)).toBe(MANIFEST_DIGEST);
  expect(requests).toHaveLength(2);
});

test('an outage is an error, never a missing image', async () => {
  const failing = await startRegistry({ failing: { times: 99, status: 502 } });
  const [answered, unreachable] = await Promise.all(
    [`${failing.host}/acme/iris:1`, '127.0.0.1:1/acme/iris:1'].map((reference) =>
      readImageDigest(reference).catch((e: unknown) => (e as Error).message),
    ),
  );
  const again = 'Run the same command again when the registry is available';
  expect(answered).toBe(`Cannot query the registry ${failing.host}: it answered 502 in 4 attempts. ${again}`);
  expect(unreachable).toMatch(
    /^Cannot query the registry 127\.0\.0\.1:1: it is unreachable \((ECONNREFUSED|bad port)\) in 4 attempts\. /,
  );
}, 15_000);

test('a configuration that cannot be read is not quoted', async () => {
  const { host } = await startRegistry({ auth: 'basic', ...NOBODY });
  await writeFile(join(folder, 'config.json'), '{"auths": "very secret"');
  const failed = await readImageDigest(`${host}/acme/iris:1`).catch((e: unknown) => e as Error);
  expect(failed).toMatchObject({
    message: `Cannot read ${join(folder, 'config.json')}: it does not contain the JSON that docker login writes`,
    cause: undefined,
  });
});

async function login(configuration: object): Promise<void> {
  await writeFile(join(folder, 'config.json'), JSON.stringify(configuration));
}

/** A program docker-credential-NAME on the PATH. */
async function helper(name: string, script: string): Promise<void> {
  const file = join(folder, `docker-credential-${name}`);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH'] ?? ''}`);
}
