import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { Cluster } from '../../../../cluster/cluster.ts';
import { makeImageResource } from '../../../../offline/plugins/docker/image-resource.ts';
import type { Context } from '../../../../pulumi-provider/provider.ts';
import { requireLocalCluster } from '../../../cluster/require-local-cluster.ts';

const REPOSITORY = 'localhost:5001/test/docker-plugin';
let cluster: Cluster;
let folder: string;

beforeAll(() => {
  cluster = requireLocalCluster();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-docker-build-'));
  return () => rm(folder, { recursive: true });
});

test('an image is built without a network, pushed, and named by the digest that the registry has', async () => {
  const said: string[] = [];
  await prepare('COPY a /a', 'RUN cat /a && echo "interfaces: $(grep -c : /proc/net/dev)"');
  const { id, outputs } = await build({ tag: 'one' }, { said });
  const [repository, digest] = outputs.repoDigest?.split('@') ?? [];
  expect(id).toMatch(/^sha256:/);
  expect(repository).toBe(REPOSITORY);
  expect(await headManifest('one')).toEqual({ status: 200, digest });
  expect(said.some((line) => line.endsWith('interfaces: 1'))).toBe(true);
  expect(said.at(-1)).toBe(`info Pushed ${outputs.repoDigest ?? ''}`);
});

test('the same context is the same image, without building anything again', async () => {
  const said: string[] = [];
  await prepare('COPY a /a', 'RUN cat /a > /b');
  const first = await build({ tag: 'two' });
  const second = await build({ tag: 'two', cacheFrom: { images: [`${REPOSITORY}:two`] } }, { said });
  expect(second).toEqual(first);
  expect(said.filter((line) => line.endsWith('CACHED'))).not.toEqual([]);
});

test('a build that fails says what its program said', async () => {
  await prepare('RUN echo "no such thing" && exit 7');
  await expect(build({ tag: 'three' })).rejects.toThrow(/Cannot build .*:three: docker ended with 1:[^]*no such thing/);
});

test.each([
  ['cancelled', (abort: AbortController) => ({ abort, timeoutSeconds: undefined, end: 'Stopped' })],
  ['late', (abort: AbortController) => ({ abort, timeoutSeconds: 3, end: 'longer than 3 s' })],
])('a build that is %s ends, and so does what it runs', async (_what, make) => {
  const { abort, timeoutSeconds, end } = make(new AbortController());
  const seconds = `9876.${Math.random().toString().slice(2, 8)}`;
  await prepare(`RUN sleep ${seconds}`);
  const building = build({ tag: 'four' }, { abort, timeoutSeconds });
  const ended = building.then(String, (e: unknown) => (e as Error).message);
  await expect.poll(() => runs(seconds), { timeout: 20_000 }).toBe(true);
  if (timeoutSeconds === undefined) abort.abort(new Error('the update was cancelled'));
  expect(await ended).toContain(end);
  await expect.poll(() => runs(seconds), { timeout: 20_000 }).toBe(false);
});

test('an image that is not to be pushed is known by its id', async () => {
  await prepare('COPY a /a');
  const { id, outputs } = await build({ tag: 'local' }, { skipPush: true });
  expect(outputs.repoDigest).toBe(id);
  expect(await headManifest('local')).toMatchObject({ status: 404 });
});

interface How {
  readonly said?: string[];
  readonly abort?: AbortController;
  readonly timeoutSeconds?: number | undefined;
  readonly skipPush?: boolean;
}

async function build(
  { tag, cacheFrom }: { readonly tag: string; readonly cacheFrom?: { readonly images: readonly string[] } },
  { said = [], abort = new AbortController(), timeoutSeconds, skipPush = false }: How = {},
) {
  const resource = makeImageResource(() => cluster.dockerHost);
  const args = { BUILDKIT_INLINE_CACHE: '1' };
  const inputs = {
    imageName: `${REPOSITORY}:${tag}`,
    build: { context: folder, network: 'none', args, ...(cacheFrom && { cacheFrom }) },
    skipPush,
  };
  const keep = (severity: string) => (line: string) => void said.push(`${severity} ${line}`);
  const log = { progress: keep('progress'), info: keep('info'), warning: keep('warning'), error: keep('error') };
  const context: Context = { preview: false, signal: abort.signal, timeoutSeconds, log };
  return resource.create({ urn: 'urn', name: tag, inputs }, context);
}

async function prepare(...lines: readonly string[]): Promise<void> {
  await writeFile(join(folder, 'Dockerfile'), [`FROM ${cluster.images?.['python'] ?? ''}`, ...lines, ''].join('\n'));
  await writeFile(join(folder, 'a'), `${folder}\n`); // another content in each test: nothing is cached from before
}

async function headManifest(tag: string) {
  const url = `http://${REPOSITORY.replace('/', '/v2/')}/manifests/${tag}`;
  const headers = { accept: 'application/vnd.docker.distribution.manifest.v2+json' };
  const answer = await fetch(url, { method: 'HEAD', headers });
  return { status: answer.status, digest: answer.headers.get('docker-content-digest') };
}

/** Whether some process of this machine sleeps for so long. */
async function runs(seconds: string): Promise<boolean> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return commands.some((command) => command === `sleep\0${seconds}\0`);
}
