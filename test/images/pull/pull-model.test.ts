import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { decompress, limitUnpacked } from '../../../images/pull/decompress.ts';
import { pullModel, type PullOptions } from '../../../images/pull/pull-model.ts';
import { type ModelRegistry, type PushedImage, sendBlob, sha256, startModelRegistry, USER } from './model-registry.ts';
import { type Entry, makeTar } from './make-tar.ts';

let folder: string;
let registry: ModelRegistry;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-pull-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  registry = await startModelRegistry();
  const auth = Buffer.from(`${USER.username}:${USER.password}`).toString('base64');
  await writeFile(join(folder, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }));
  vi.stubEnv('DOCKER_CONFIG', folder);
  onTestFinished(() => void vi.unstubAllEnvs());
});

const BIG = Buffer.alloc(300_000, 'weights ');

async function pull(image: PushedImage): Promise<string> {
  return pullDigest(registry.push('1', image));
}

async function pullDigest(version: string, onProgress: PullOptions['onProgress'] = () => undefined): Promise<string> {
  const image = { registry: registry.host, name: 'acme/iris', version };
  return pullModel(image, { folder: join(folder, 'partial'), onProgress, signal: undefined });
}

/** The files of a folder with their texts; of a link, its target. */
async function read(root: string): Promise<Readonly<Record<string, string>>> {
  const entries = (await readdir(root, { recursive: true, withFileTypes: true })).filter((e) => !e.isDirectory());
  const texts = entries.map(async (e) => {
    const path = join(e.parentPath, e.name);
    const text = e.isSymbolicLink() ? `→ ${await readlink(path)}` : await readFile(path, 'utf8');
    return [relative(root, path), text] as const;
  });
  return Object.fromEntries((await Promise.all(texts)).sort());
}

const layer = (entries: Parameters<typeof makeTar>[0]) => ({ content: makeTar(entries) });

test('of an image, the files below /models are the model; upper layers replace and remove those of lower ones', async () => {
  const layers = [
    layer({ 'etc/passwd': 'root', 'dev/null': { type: '3' }, 'bin/sh': { link: '/bin/busybox' } }),
    layer({ 'models/': { folder: true }, 'models/MLmodel': 'old', 'models/old.txt': '', 'models/data/a': 'a' }),
    {
      content: gzipSync(
        makeTar({
          './models/MLmodel': 'new',
          'models/.wh.old.txt': '',
          'models/data/.wh..wh..opq': '',
          'models/data/b': 'b',
          'models/current': { link: '/models/data/b' },
          'models/data/same': { hardLink: 'models/data/b' },
        }),
      ),
    },
  ];
  const model = await pull({ layers, index: true });
  expect(await read(model)).toEqual({
    MLmodel: 'new',
    'data/b': 'b',
    'data/same': 'b',
    current: '→ data/b',
  });
});

test('an upper layer can replace the whole folder of the models', async () => {
  const model = await pull({ layers: [layer({ 'models/1/MLmodel': '1' }), layer({ '.wh.models': '', 'models/2/MLmodel': '2' })] }); // prettier-ignore
  expect(await read(model)).toEqual({ MLmodel: '2' });
});

test('an artifact is a packed folder, single files by their names, or one archive', async () => {
  const config = 'application/vnd.oci.empty.v1+json';
  const title = (name: string) => ({ 'org.opencontainers.image.title': name });
  const unpack = { ...title('iris'), 'io.deis.oras.content.unpack': 'true' };
  const files = { MLmodel: 'flavors', 'data/model.bin': BIG.toString() };
  const packed = makeTar({ 'iris/MLmodel': 'flavors', 'iris/data/model.bin': BIG });
  expect(await read(await pull({ config, layers: [{ content: gzipSync(packed), annotations: unpack }] }))).toEqual(files); // prettier-ignore
  const single = Object.entries(files).map(([name, text]) => ({
    content: Buffer.from(text),
    annotations: title(name),
  }));
  expect(await read(await pull({ config, layers: single }))).toEqual(files);
  const archive = { content: zstdCompressSync(packed), annotations: title('iris.tar.zst') };
  expect(await read(await pull({ config, layers: [archive] }))).toEqual(files);
});

test('archives of tar itself are read: long names, links and folders', async () => {
  const place = join(folder, 'source', 'models', 'n'.repeat(90), 'o'.repeat(90));
  await mkdir(place, { recursive: true });
  await writeFile(join(place, 'a'.repeat(120)), 'long');
  await writeFile(join(place, 'MLmodel'), 'ä');
  for (const format of ['gnu', 'pax', 'ustar']) {
    if (format === 'ustar') await rm(join(place, 'a'.repeat(120)));
    const content = execFileSync('tar', ['-c', `--format=${format}`, '-C', join(folder, 'source'), 'models']);
    const long = format === 'ustar' ? {} : { ['a'.repeat(120)]: 'long' };
    expect(await read(await pull({ layers: [{ content }] }))).toEqual({ MLmodel: 'ä', ...long });
  }
});

test('a broken connection continues where it stopped, and a file even in another run', async () => {
  const annotations = { 'org.opencontainers.image.title': 'model.bin' };
  const config = 'application/vnd.oci.empty.v1+json';
  const mlmodel = { content: Buffer.from('x'), annotations: { 'org.opencontainers.image.title': 'MLmodel' } };
  const version = registry.push('1', { config, layers: [mlmodel, { content: BIG, annotations }] });
  const stopped = new AbortController();
  registry.fault = { breaksAfter: 100_000 };
  const image = { registry: registry.host, name: 'acme/iris', version };
  const onProgress = (done: number) => {
    if (done > 150_000) stopped.abort(new Error('Ctrl-C'));
  };
  await expect(pullModel(image, { folder: join(folder, 'partial'), onProgress, signal: stopped.signal })).rejects.toThrow('Ctrl-C'); // prettier-ignore
  const before = registry.requests.length;
  const progress: (readonly [number, number])[] = [];
  const model = await pullDigest(version, (...counts) => void progress.push(counts));
  expect(await read(model)).toEqual({ MLmodel: 'x', 'model.bin': BIG.toString() });
  expect(progress.at(-1)).toEqual([300_001, 300_001]);
  const ranges = registry.requests.slice(before).filter((r) => r.includes(sha256(BIG))).map((r) => r.split(' ')[2]); // prettier-ignore
  expect(ranges.some((range) => Number(range?.replace(/\D/g, '')) >= 100_000)).toBe(true);
  expect(registry.requests.slice(before).filter((r) => r.includes(sha256(Buffer.from('x'))))).toEqual([]);
});

test('an archive continues too, also where the registry ignores ranges', async () => {
  const content = makeTar({ 'models/MLmodel': 'x', 'models/model.bin': BIG });
  registry.fault = { breaksAfter: 200_000 };
  expect(Object.keys(await read(await pull({ layers: [{ content }] })))).toEqual(['MLmodel', 'model.bin']);
  await rm(join(folder, 'partial'), { recursive: true });
  registry.fault = { breaksAfter: 200_000, ignoresRanges: true };
  await expect(pull({ layers: [{ content }] })).rejects.toThrow('its answer ended early in 3 attempts');
});

test('the storage that a registry redirects to gets no credential, and an internal address no request', async () => {
  const content = makeTar({ 'models/MLmodel': 'x' });
  const seen: (string | undefined)[] = [];
  const storage = createServer((request, response) => {
    seen.push(request.headers.authorization);
    sendBlob(response, content, {});
  });
  await new Promise<void>((done) => storage.listen(0, '127.0.0.1', done));
  onTestFinished(() => void storage.close());
  registry.fault = { redirectsTo: `http://127.0.0.1:${(storage.address() as AddressInfo).port}` };
  expect(await read(await pull({ layers: [{ content }] }))).toEqual({ MLmodel: 'x' });
  expect(seen).toEqual([undefined]);
  await rm(join(folder, 'partial'), { recursive: true });
  registry.fault = { redirectsTo: 'http://169.254.169.254' };
  await expect(pull({ layers: [{ content }] })).rejects.toThrow('it redirects to "http://169.254.169.254", expected an https URL'); // prettier-ignore
});

test('a registry may let tokens end, send no digest, and ask for a later attempt', async () => {
  const content = makeTar({ 'models/MLmodel': 'x', 'models/model.bin': BIG });
  registry.fault = { tokenUses: 2, hidesDigest: true, breaksAfter: 200_000, isBusy: true };
  expect(Object.keys(await read(await pull({ layers: [{ content }], index: true })))).toEqual(['MLmodel', 'model.bin']);
  const denied = registry.requests.filter((request) => request.endsWith(' -') && !request.includes('/token'));
  expect(denied, 'no request without the token that the last one has got').toHaveLength(1);
});

test('a token is issued for a refresh token, too', async () => {
  const auths = { [registry.host]: { identitytoken: USER.identityToken } };
  await writeFile(join(folder, 'config.json'), JSON.stringify({ auths }));
  expect(await read(await pull({ layers: [layer({ 'models/MLmodel': 'x' })] }))).toEqual({ MLmodel: 'x' });
  expect(registry.requests.filter((request) => request.startsWith('POST /token'))).not.toEqual([]);
});

test('a layer that the registry lost, or damaged, is never part of a model, and the next attempt is whole', async () => {
  const [small, big] = [layer({ 'models/MLmodel': 'x' }), layer({ 'models/model.bin': BIG })];
  const single = { content: BIG, annotations: { 'org.opencontainers.image.title': 'model.bin' } };
  const artifact = { config: 'application/vnd.oci.empty.v1+json', layers: [{ content: Buffer.from('x'), annotations: { 'org.opencontainers.image.title': 'MLmodel' } }, single] }; // prettier-ignore
  for (const [image, damaged] of [
    [{ layers: [small, big] }, big.content],
    [artifact, BIG],
  ] as const) {
    // prettier-ignore
    const version = registry.push('1', image);
    registry.fault = { lacks: sha256(damaged) };
    await expect(pullDigest(version)).rejects.toThrow('does not have it');
    registry.fault = { corrupts: sha256(damaged) };
    await expect(pullDigest(version)).rejects.toThrow('it sent other bytes than the digest of the layer says');
    registry.fault = {};
    expect(await read(await pullDigest(version))).toEqual({ MLmodel: 'x', 'model.bin': BIG.toString() });
    await rm(join(folder, 'partial'), { recursive: true });
  }
});

test('bytes with another digest or size are an outage of the registry, and nothing of them is kept', async () => {
  const content = makeTar({ 'models/MLmodel': 'x' });
  const digest = registry.push('1', { layers: [{ content, listed: { size: content.length - 512 } }] });
  await expect(pullDigest(digest)).rejects.toThrow('it sent more bytes than the manifest lists');
  const other = makeTar({ 'models/MLmodel': 'y' });
  const wrong = registry.push('2', { layers: [{ content, listed: { digest: sha256(other) } }] });
  await expect(pullDigest(wrong)).rejects.toThrow('does not have it');
  await expect(pullDigest(sha256(content))).rejects.toThrow('its manifest is not JSON');
});

const HOSTILE: Readonly<Record<string, readonly (readonly [string, Entry])[]>> = {
  'an absolute name': [['/models/evil', 'x']],
  'a name that leaves the folder': [['models/../../evil', 'x']],
  'a link out of the model': [['models/evil', { link: '../../etc/passwd' }]],
  'an absolute link': [['models/evil', { link: '/etc/passwd' }]],
  'a link to a folder': [['models/a/b', 'x'], ['models/evil', { link: 'a' }]], // prettier-ignore
  'a link to nothing': [['models/evil', { link: 'nothing' }]],
  'a circle of links': [['models/a', { link: 'b' }], ['models/b', { link: 'a' }]], // prettier-ignore
  'a file through a link': [['models/a', { link: 'b' }], ['models/a/evil', 'x']], // prettier-ignore
  'a hard link out of the model': [['models/evil', { hardLink: 'etc/passwd' }]],
  'a hard link that leaves the folder': [['models/evil', { hardLink: 'models/../../../etc/passwd' }]],
  'a device': [['models/evil', { type: '3' }]],
  'a pipe': [['models/evil', { type: '6' }]],
  'a whiteout of the folder above': [['models/.wh...', '']],
  'a whiteout of nothing': [['models/.wh.', '']],
  'a file in a file': [['models/a', 'x'], ['models/a/b', 'x']], // prettier-ignore
  'a file as the folder of the models': [['models', 'x']],
  'a sparse file': [['x', { type: 'x', text: '27 GNU.sparse.realsize=100\n' }], ['models/evil', 'x']], // prettier-ignore
};

test.each(Object.entries(HOSTILE))('an image with %s is refused', async (_, entries) => {
  await writeFile(join(folder, 'evil'), 'untouched');
  const hostile = pull({ layers: [layer([['models/MLmodel', 'x'], ...entries])] });
  await expect(hostile).rejects.toThrow(/in it|its entry|a layer of it/);
  expect(await readFile(join(folder, 'evil'), 'utf8')).toBe('untouched');
});

test.each([
  ['no model', { layers: [layer({ 'opt/MLmodel': 'x' })] }, 'it has no file where a model would be, expected a folder with MLmodel'], // prettier-ignore
  ['other files', { layers: [layer({ 'models/config.pbtxt': 'x' })] }, 'it has "config.pbtxt", expected a folder with MLmodel'], // prettier-ignore
  ['two models', { layers: [layer({ 'models/a/MLmodel': 'x', 'models/b/MLmodel': 'x' })] }, 'it has several models: "a", "b"'], // prettier-ignore
  ['a layer that is no archive', { layers: [{ content: Buffer.alloc(1024, 'x') }] }, 'a layer of it is not a tar archive'], // prettier-ignore
  ['a damaged layer', { layers: [{ content: gzipSync(BIG).fill(7, 20) }] }, 'a layer of it cannot be decompressed'],
  ['a layer that ends early', { layers: [{ content: gzipSync(makeTar({ 'models/MLmodel': 'x', 'models/b': BIG })).subarray(0, -8) }] }, 'a layer of it cannot be decompressed'], // prettier-ignore
])('an image with %s is explained', async (_, image: PushedImage, message) => {
  await expect(pull(image)).rejects.toThrow(message);
});

test('a layer that unpacks to far more than its size is refused', async () => {
  const unpack = (limit: number) => buffer(decompress(Readable.from([gzipSync(BIG)]), limit));
  await unpack(BIG.length);
  await expect(unpack(BIG.length - 1)).rejects.toThrow('a layer of it unpacks to more than 299999 bytes');
  expect(limitUnpacked(2 ** 30)).toBe(21 * 2 ** 30);
});
