import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { connectCluster } from '../../../kubernetes/client/connect.ts';

let folder: string;
let server: string;
let authorizations: (string | undefined)[];
/** The Authorization header that the server accepts. Undefined: any. */
let accepted: string | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-connect-'));
  authorizations = [];
  accepted = undefined;
  const listening = createServer(({ headers: { authorization } }, response) => {
    authorizations.push(authorization);
    const fine = accepted === undefined || authorization === accepted;
    response.writeHead(fine ? 200 : 401, { 'content-type': 'application/json' }).end('{"message":"Unauthorized"}');
  }).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  server = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
  vi.stubEnv('HOME', folder);
  vi.stubEnv('KUBECONFIG', '');
  vi.stubEnv('KUBERNETES_SERVICE_HOST', undefined);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    listening.closeAllConnections();
    listening.close();
    await rm(folder, { recursive: true });
  });
});

/** Writes a kubeconfig with one context. */
async function write(name: string, user: object, { context = 'here' } = {}): Promise<string> {
  const file = join(folder, name);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(
    file,
    stringify({
      clusters: [{ name: context, cluster: { server } }],
      users: [{ name: context, user }],
      contexts: [{ name: context, context: { cluster: context, user: context } }],
      'current-context': context,
    }),
  );
  return file;
}

const UNSAID = { kubeconfig: undefined, context: undefined };

test.each([
  ['relative to the project', 'project/cluster.kubeconfig', 'cluster.kubeconfig'],
  ['from the home folder', 'mine/config', '~/mine/config'],
  ['the usual one', '.kube/config', undefined],
])('a kubeconfig is found: %s', async (_, file, kubeconfig) => {
  await write(file, { token: 'abc' });
  const api = await connectCluster({ kubeconfig, context: undefined }, join(folder, 'project'));
  await api.get('/api');
  expect(authorizations).toEqual(['Bearer abc']);
});

test('several files are merged as by kubectl: the first one has precedence, missing ones are skipped', async () => {
  const first = await write('first', { token: 'first' });
  const second = await write('second', { token: 'second' }, { context: 'there' });
  const same = await write('same', { token: 'same' });
  vi.stubEnv('KUBECONFIG', [join(folder, 'nowhere'), first, second, same].join(delimiter));
  await (await connectCluster(UNSAID, folder)).get('/api');
  await (await connectCluster({ ...UNSAID, context: 'there' }, folder)).get('/api');
  expect(authorizations).toEqual(['Bearer first', 'Bearer second']);
});

test('a user name and a password are sent', async () => {
  const kubeconfig = await write('config', { username: 'a', password: 'b' });
  await (await connectCluster({ ...UNSAID, kubeconfig }, folder)).get('/api');
  expect(authorizations).toEqual([`Basic ${Buffer.from('a:b').toString('base64')}`]);
});

test('a login plugin is run like by kubectl, and again when its token is refused', async () => {
  const kubeconfig = await write('folder/config', {
    exec: {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: './plugin',
      args: ['get'],
      env: [{ name: 'A', value: '1' }],
    },
  });
  const script = `#!/bin/sh
echo "$A $1 $KUBERNETES_EXEC_INFO" >> ${folder}/runs
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"token-'$(wc -l < ${folder}/runs)'"}}'
`;
  await writeFile(join(folder, 'folder', 'plugin'), script);
  await chmod(join(folder, 'folder', 'plugin'), 0o755);
  const api = await connectCluster({ ...UNSAID, kubeconfig }, folder);
  await api.get('/api');
  await api.get('/api');
  accepted = 'Bearer token-2';
  await api.get('/api');
  expect(authorizations).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-1', 'Bearer token-2']);
  const info = '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":false}}';
  expect(await readFile(join(folder, 'runs'), 'utf8')).toBe(`1 get ${info}\n`.repeat(2));
});

test('the error about a refused login does not contain the token', async () => {
  accepted = 'nothing';
  const kubeconfig = await write('config', { token: 'very-secret' });
  const api = await connectCluster({ ...UNSAID, kubeconfig }, folder);
  const message = await api.list('/api/v1/pods').catch((e: unknown) => String(e));
  expect(message).toBe('KubernetesRefused: Cannot GET /api/v1/pods: the API server answers 401 Unauthorized');
});

test.each([
  [
    'no file',
    () => ({ kubeconfig: 'nowhere' }),
    /^Cannot read the kubeconfig .*nowhere: the file does not exist, expected a kubeconfig/,
  ],
  ['nothing at all', () => ({}), /^Cannot find a cluster: there is no ~\/\.kube\/config, expected a kubeconfig/],
  [
    'no such context',
    async () => ({ kubeconfig: await write('config', {}), context: 'prod' }),
    /^Cannot find the context "prod" in .*config: expected one of here as cluster.context/,
  ],
  [
    'no current context',
    async () => ({ kubeconfig: await writeText('contexts: []') }),
    /^Cannot find a current context in .*: expected a file with contexts/,
  ],
  [
    'no cluster of the context',
    async () => ({
      kubeconfig: await writeText('contexts: [{name: a, context: {cluster: b, user: c}}]\ncurrent-context: a'),
    }),
    /^Cannot find the cluster of context "a" in /,
  ],
  [
    'a plugin that is not there',
    async () => ({
      kubeconfig: await write('config', {
        exec: { command: 'davit-no-such-plugin', installHint: 'get it at example.com' },
      }),
    }),
    /^Cannot log in to the cluster of context "here" with davit-no-such-plugin: spawn .* ENOENT\. Check that kubectl can connect \(get it at example.com\)$/,
  ],
  [
    'a plugin that fails',
    async () => ({
      kubeconfig: await write('config', {
        exec: { command: '/bin/sh', args: ['-c', 'echo log in first >&2; exit 1'] },
      }),
    }),
    /^Cannot log in to the cluster of context "here" with \/bin\/sh: log in first\. Check that kubectl can connect$/,
  ],
] satisfies readonly [string, () => object, RegExp][])('says what is missing: %s', async (_, make, message) => {
  const place = { ...UNSAID, ...(await Promise.resolve(make())) };
  await expect(connectCluster(place, folder)).rejects.toThrow(message);
});

test('the error about a file that is not YAML does not quote it, because it can contain tokens', async () => {
  const kubeconfig = await writeText('users:\n- name: a\n  user: {token: very-secret');
  const refused = await connectCluster({ ...UNSAID, kubeconfig }, folder).catch((e: unknown) => e as Error);
  expect(refused).toMatchObject({
    message: expect.stringMatching(/^Cannot read the kubeconfig .* in line \d, expected/) as string,
  });
  expect(JSON.stringify([refused, (refused as Error).stack, (refused as Error).cause])).not.toContain('very-secret');
});

async function writeText(text: string): Promise<string> {
  const file = join(folder, 'config');
  await writeFile(file, text);
  return file;
}
