import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { makeBuildArguments } from '../../../../offline/plugins/docker/build-image.ts';
import { digestContext } from '../../../../offline/plugins/docker/context-digest.ts';
import { withDockerConfig } from '../../../../offline/plugins/docker/docker-config.ts';
import { makeDockerProvider } from '../../../../offline/plugins/docker/docker-provider.ts';
import { makeImageResource } from '../../../../offline/plugins/docker/image-resource.ts';
import { describeImage, type ImageInputs } from '../../../../offline/plugins/docker/image-inputs.ts';
import type { Context } from '../../../../pulumi-provider/provider.ts';

const UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';
const silent = { progress: () => undefined, info: () => undefined, warning: () => undefined, error: () => undefined };
const previewing: Context = {
  preview: true,
  signal: new AbortController().signal,
  timeoutSeconds: undefined,
  log: silent,
};
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-docker-test-'));
  await writeFile(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY . /\n');
  return () => rm(folder, { recursive: true });
});

function image() {
  return makeImageResource(() => undefined);
}

async function checked(inputs: ImageInputs) {
  return await image().check!({
    name: 'iris',
    inputs,
    oldInputs: undefined,
    randomSeed: new Uint8Array(),
    autonaming: undefined,
  });
}

test('makeBuildArguments() says everything that the build says, and nothing else', () => {
  expect(
    makeBuildArguments({
      imageName: 'localhost:5001/davit/iris:1',
      build: {
        context: 'app',
        args: { BUILDKIT_INLINE_CACHE: '1', NAME: 'a b' },
        cacheFrom: { images: ['localhost:5001/davit/iris:0'] },
        platform: 'linux/amd64',
        target: 'last',
        network: 'none',
        addHosts: ['a:1.2.3.4'],
      },
    }),
  ).toEqual([
    ...['build', '--tag', 'localhost:5001/davit/iris:1', '--file', 'app/Dockerfile', '--progress', 'plain'],
    ...['--platform', 'linux/amd64', '--target', 'last', '--network', 'none', '--add-host', 'a:1.2.3.4'],
    ...['--build-arg', 'BUILDKIT_INLINE_CACHE=1', '--build-arg', 'NAME=a b'],
    ...['--cache-from', 'localhost:5001/davit/iris:0', '--', 'app'],
  ]);
  expect(
    makeBuildArguments({ imageName: 'iris', build: { builderVersion: 'BuilderV1', dockerfile: 'other' } }),
  ).toEqual(['build', '--tag', 'iris', '--file', 'other', '--', '.']);
});

test.each([
  ['localhost:5001/davit/iris:1', 'localhost:5001/davit/iris', 'localhost:5001'],
  ['ghcr.io/acme/iris', 'ghcr.io/acme/iris', 'ghcr.io'],
  ['acme/iris:2', 'acme/iris', 'docker.io'],
  ['iris:2', 'iris', 'docker.io'],
])('describeImage() takes %s apart', (imageName, baseImageName, registryServer) => {
  expect(describeImage({ imageName })).toMatchObject({ imageName, baseImageName, registryServer });
});

test('digestContext() sees files, modes, links and the Dockerfile, and no times', async () => {
  const digest = () => digestContext(folder, join(folder, 'Dockerfile'));
  const seen = new Set([await digest()]);
  const changes = [
    async () => mkdir(join(folder, 'model')).then(() => writeFile(join(folder, 'model', 'a'), '1')),
    async () => writeFile(join(folder, 'model', 'a'), '2'),
    async () => chmod(join(folder, 'model', 'a'), 0o755),
    async () => symlink('a', join(folder, 'model', 'b')),
    async () => writeFile(join(folder, 'large'), Buffer.alloc(3 << 20)),
    async () => writeFile(join(folder, 'Dockerfile'), 'FROM scratch\n'),
  ];
  for (const change of changes) {
    await change();
    seen.add(await digest());
  }
  expect(seen.size).toBe(changes.length + 1);
  await rm(join(folder, 'large'));
  await writeFile(join(folder, 'large'), Buffer.alloc(3 << 20));
  seen.add(await digest());
  expect(seen.size).toBe(changes.length + 1);
});

test('check() adds the digest of the context, so that an edited file shows as a change', async () => {
  const build = { context: folder };
  const before = await checked({ imageName: 'iris:1', build });
  await writeFile(join(folder, 'a'), '1');
  const after = await checked({ imageName: 'iris:1', build });
  expect(before).toEqual({
    inputs: {
      imageName: 'iris:1',
      build: {
        context: folder,
        dockerfile: join(folder, 'Dockerfile'),
        contextDigest: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      },
    },
  });
  expect(after.inputs).not.toEqual(before.inputs);
});

test('check() refuses what cannot be built, and waits for what is not known yet', async () => {
  const nowhere = await checked({ imageName: 'iris:1', build: { context: join(folder, 'nowhere') } });
  expect(nowhere.failures).toEqual([
    { property: 'build.context', reason: expect.stringContaining('nowhere') as string },
  ]);
  const odd = await checked({ imageName: '', build: { context: folder }, buildx: true } as ImageInputs);
  expect(odd.failures?.map((f) => f.property)).toEqual(['buildx', 'imageName']);
  const later = { context: UNKNOWN, dockerfile: join(folder, 'Dockerfile') };
  expect(await checked({ imageName: UNKNOWN, build: later })).toEqual({
    inputs: { imageName: UNKNOWN, build: later },
    failures: [],
  });
});

test('a preview builds nothing: the digest is what the update will know', async () => {
  vi.stubEnv('PATH', folder);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const inputs = { imageName: 'localhost:5001/davit/iris:1', build: { context: folder, platform: 'linux/amd64' } };
  const created = await image().create({ urn: 'urn', name: 'iris', inputs }, previewing);
  expect(created.outputs).toEqual({
    imageName: 'localhost:5001/davit/iris:1',
    baseImageName: 'localhost:5001/davit/iris',
    registryServer: 'localhost:5001',
    platform: 'linux/amd64',
    context: folder,
    dockerfile: join(folder, 'Dockerfile'),
    repoDigest: undefined,
  });
});

test('configuration that is not honoured is refused', () => {
  const provider = makeDockerProvider('5.2.0');
  expect(() => provider.configure?.({ host: 'unix:///run/docker.sock', version: '5.2.0' })).not.toThrow();
  expect(() => provider.configure?.({ certPath: '/certificates' })).toThrow(/certPath is not supported/);
});

test('withDockerConfig() keeps a login in a private file that is gone afterwards', async () => {
  vi.stubEnv('DOCKER_CONFIG', folder);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  expect(await withDockerConfig(undefined, (f) => Promise.resolve(f))).toBe(folder);
  await writeFile(join(folder, 'config.json'), '{"credsStore":"desktop","auths":{"other":{"auth":"x"}}}');
  const login = { server: 'ghcr.io', username: 'me', password: 'secret' };
  const used = await withDockerConfig(login, async (f) => {
    expect((await stat(f)).mode & 0o777).toBe(0o700);
    expect((await stat(join(f, 'config.json'))).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(join(f, 'config.json'), 'utf8'))).toEqual({
      credsStore: 'desktop',
      credHelpers: { 'ghcr.io': '' },
      auths: { other: { auth: 'x' }, 'ghcr.io': { auth: Buffer.from('me:secret').toString('base64') } },
    });
    return f;
  });
  await expect(stat(used)).rejects.toThrow(/ENOENT/);
  const failing = withDockerConfig(login, (f) => Promise.reject(new Error(f)));
  const place = await failing.then(String, (e: unknown) => (e as Error).message);
  await expect(stat(place)).rejects.toThrow(/ENOENT/);
});
