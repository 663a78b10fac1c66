import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { ENVIRONMENT_FILE, removeEnvironmentFile, writeEnvironmentFile } from '../../cluster/write-environment-file.ts';
import { pinFiles } from '../../cluster/kind/kind-parts.ts';
import { type ClusterDescription, renderEnvironment, TO_FILL_IN } from '../../cluster/render-environment.ts';
import { parseEnvironment } from '../../schemas/environment/environment.ts';

const SHA = 'a'.repeat(64);
const IMAGES = Object.fromEntries(
  ['python', 'node', 'envoy'].map((name) => [name, `localhost:5001/davit/${name}@sha256:${SHA}`]),
);
const NODE: ClusterDescription = {
  cluster: { kubeconfig: '/node/kubeconfig' },
  registry: 'localhost:5001/davit',
  images: IMAGES,
  dockerHost: 'unix:///node/docker.sock',
  knative: undefined,
  small: true,
};
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'davit-environment-'));
  return () => rm(root, { recursive: true });
});

test('renderEnvironment() renders a file that Davit can parse', () => {
  const { environment, diagnostics } = parseEnvironment(renderEnvironment(NODE), ENVIRONMENT_FILE);
  expect(diagnostics).toEqual([]);
  expect(environment).toMatchObject({
    name: 'cluster',
    target: 'kubernetes',
    cluster: { kubeconfig: '/node/kubeconfig', context: undefined },
    images: {
      registry: 'localhost:5001/davit',
      bases: { '3.11': IMAGES['python'] },
      node: IMAGES['node'],
      envoy: IMAGES['envoy'],
      dockerHost: 'unix:///node/docker.sock',
    },
    knative: { mode: 'adopt' },
    hardware: { CPU: { cpu: '10m', memory: '256Mi', per: 'unit' }, GPU_SMALL: { gpu: { count: 1 }, nodeSelector: {} } },
  });
  expect(environment).not.toHaveProperty('hardware.GPU_LARGE');
});

test('renderEnvironment() names the manifests of a cluster without Knative', () => {
  const knative = [{ source: '/node/knative/types.yaml', sha256: SHA }];
  const { environment, diagnostics } = parseEnvironment(renderEnvironment({ ...NODE, knative }), ENVIRONMENT_FILE);
  expect(diagnostics).toEqual([]);
  expect(environment).toMatchObject({ knative: { mode: 'install', manifests: knative, images: {} } });
});

test('renderEnvironment() leaves unknown fields of a cluster to the user', () => {
  const cluster = { context: 'mine' };
  const theirs = { ...NODE, cluster, registry: undefined, images: {}, dockerHost: undefined, small: false };
  const text = renderEnvironment({ ...theirs, knative: 'to fill in' });
  expect(text.match(new RegExp(TO_FILL_IN, 'g'))).toHaveLength(5);
  const { diagnostics } = parseEnvironment(text, ENVIRONMENT_FILE);
  expect(diagnostics).not.toEqual([]);
  const filled = text
    .replace(/ {2}# TO FILL IN: {2}registry: .*/, '  registry: ghcr.io/acme/models')
    .replace(/ {2}# TO FILL IN: {2}bases: .*/, `  bases: { "3.11": ${IMAGES['python'] ?? ''} }`)
    .replace(/ {2}# TO FILL IN: {2}node: .*/, `  node: ${IMAGES['node'] ?? ''}`)
    .replace(/ {2}# TO FILL IN: {2}envoy: .*/, `  envoy: ${IMAGES['envoy'] ?? ''}`);
  expect(parseEnvironment(filled, ENVIRONMENT_FILE)).toMatchObject({
    diagnostics: [],
    environment: { cluster: { context: 'mine' }, hardware: { CPU: { memory: '4Gi' } } },
  });
});

test('the file is written, left unchanged, rewritten and removed', async () => {
  expect(await removeEnvironmentFile(root)).toBe(false);
  expect(await writeEnvironmentFile(root, renderEnvironment(NODE))).toBe('written');
  expect(await writeEnvironmentFile(root, renderEnvironment(NODE))).toBe('unchanged');
  expect(await writeEnvironmentFile(root, renderEnvironment({ ...NODE, registry: 'other' }))).toBe('written');
  expect(await readFile(join(root, ENVIRONMENT_FILE), 'utf8')).toMatch(/^# Made by "davit cluster up" [^\n]*\nname/);
  expect(await removeEnvironmentFile(root)).toBe(true);
  expect(await removeEnvironmentFile(root)).toBe(false);
});

test.each([
  ['somebody else wrote', () => 'name: cluster\ntarget: local\n'],
  ['somebody changed', (ours: string) => ours.replace('10m', '100m')],
  ['somebody added to', (ours: string) => `${ours}quota: {}\n`],
])('a file that %s is not changed', async (_what, change) => {
  await mkdir(join(root, 'environments'));
  await writeEnvironmentFile(root, renderEnvironment(NODE));
  const file = join(root, ENVIRONMENT_FILE);
  const theirs = change(await readFile(file, 'utf8'));
  await writeFile(file, theirs);
  expect(await writeEnvironmentFile(root, renderEnvironment(NODE))).toBe('theirs');
  expect(await removeEnvironmentFile(root)).toBe(false);
  expect(await readFile(file, 'utf8')).toBe(theirs);
});

test('pinFiles() returns the checksums of files on a server', async () => {
  const server = createServer((asked, answer) => {
    answer.writeHead(asked.url === '/there' ? 200 : 404).end('text');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port.toString()}`;
  const sha256 = '982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1'; // of "text"
  expect(await pinFiles([`${at}/there`])).toEqual([{ source: `${at}/there`, sha256 }]);
  await expect(pinFiles([`${at}/there`, `${at}/gone`])).rejects.toThrow(/gone: the server returned 404/);
});
