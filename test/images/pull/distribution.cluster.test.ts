// The registry of the CNCF's distribution project, which many others are made of. Davit builds it for its own cluster.
import { type ChildProcess, spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureGoProgram } from '../../../cluster/go-programs.ts';
import { pullModel } from '../../../images/pull/pull-model.ts';
import { readTaggedDigest } from '../../../images/registry.ts';
import { until } from '../../runtime/start-server.ts';
import { makeTar } from './make-tar.ts';
import { sha256 } from './model-registry.ts';

const NAME = 'acme/models/iris';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const WEIGHTS = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i).join());

const options = { progress: { say: (line: string) => process.stderr.write(`${line}\n`) } };

let folder = '';
let host = '';
let registry: ChildProcess | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-distribution-'));
  host = `127.0.0.1:${await findFreePort()}`;
  const config = join(folder, 'config.yaml'); // JSON is YAML
  const storage = { filesystem: { rootdirectory: join(folder, 'storage') } };
  await writeFile(config, JSON.stringify({ version: '0.1', log: { level: 'error' }, storage, http: { addr: host } }));
  const program = join(await ensureGoProgram('registry', options), 'registry');
  registry = spawn(program, ['serve', config], { stdio: 'ignore' });
  await until(async () => registry?.exitCode !== null || (await fetch(`http://${host}/v2/`).then((r) => r.ok, () => false))); // prettier-ignore
});
afterAll(async () => {
  registry?.kill();
  if (folder !== '') await rm(folder, { recursive: true, force: true });
});

function findFreePort(): Promise<number> {
  const server = createServer();
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { readonly port: number };
      server.close(() => {
        done(port);
      });
    });
  });
}

async function pushBlob(content: Buffer) {
  const started = await fetch(`http://${host}/v2/${NAME}/blobs/uploads/`, { method: 'POST' });
  const place = new URL(started.headers.get('location') ?? '', `http://${host}`);
  place.searchParams.set('digest', sha256(content));
  const headers = { 'content-type': 'application/octet-stream' };
  expect((await fetch(place, { method: 'PUT', body: content, headers })).status).toBe(201);
  return { digest: sha256(content), size: content.length };
}

async function push(tag: string, layers: readonly Buffer[]) {
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', ...(await pushBlob(Buffer.from('{}'))) };
  const described = await Promise.all(layers.map(async (content) => ({ mediaType: LAYER, ...(await pushBlob(content)) }))); // prettier-ignore
  const body = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: described });
  const url = `http://${host}/v2/${NAME}/manifests/${tag}`;
  expect((await fetch(url, { method: 'PUT', body, headers: { 'content-type': MANIFEST } })).status).toBe(201);
  return described.map(({ digest }) => digest);
}

async function pull(
  tag: string,
  { onProgress = () => undefined, signal }: { onProgress?: (done: number) => void; signal?: AbortSignal } = {},
) {
  // prettier-ignore
  const image = { registry: host, name: NAME };
  const version = (await readTaggedDigest({ ...image, version: tag })) ?? 'missing';
  return pullModel({ ...image, version }, { folder: join(folder, `partial-${tag}`), onProgress, signal });
}

test('an image is pulled by its tag, in one run or in two', async () => {
  const stopped = new AbortController();
  await push('1', [gzipSync(makeTar({ 'models/MLmodel': 'x' })), gzipSync(makeTar({ 'models/weights': WEIGHTS }))]);
  const onProgress = (done: number) => {
    if (done > 100_000) stopped.abort(new Error('Ctrl-C'));
  };
  await expect(pull('1', { onProgress, signal: stopped.signal })).rejects.toThrow('Ctrl-C');
  const model = await pull('1');
  expect(await readFile(join(model, 'MLmodel'), 'utf8')).toBe('x');
  expect((await readFile(join(model, 'weights'))).equals(WEIGHTS)).toBe(true);
});

test('a layer that the registry has lost or damaged is no part of a model', async () => {
  const layers = [gzipSync(makeTar({ 'models/MLmodel': 'y' })), gzipSync(makeTar({ 'models/other': WEIGHTS }))];
  const [, digest = ''] = await push('2', layers);
  const [file = ''] = globSync(`storage/**/sha256/*/${digest.slice(7)}/data`, { cwd: folder });
  const content = await readFile(join(folder, file));
  await writeFile(join(folder, file), Buffer.from(content).fill(7, content.length / 2));
  await expect(pull('2')).rejects.toThrow('it sent other bytes than the digest of the layer says');
  await rm(join(folder, file));
  await expect(pull('2')).rejects.toThrow(`the registry ${host} does not have it`);
  await writeFile(join(folder, file), content);
  expect((await readFile(join(await pull('2'), 'other'))).equals(WEIGHTS)).toBe(true);
});
