import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { readBackend } from '../../engine/state/backend.ts';
import { makePulumiEnvironment, makeShellEnvironment, renderExports } from '../../engine/pulumi-environment.ts';

const ENGINE = { command: '/engines/bin/pulumi', version: '3.225.0', source: 'build' } as const;
const USERS = [
  'PULUMI_CONFIG_PASSPHRASE',
  'PULUMI_CONFIG_PASSPHRASE_FILE',
  'PULUMI_HOME',
  'PULUMI_CREDENTIALS_PATH',
  'PULUMI_BACKEND_URL',
] as const;

beforeEach(() => USERS.forEach((name) => vi.stubEnv(name, undefined)));
afterEach(() => void vi.unstubAllEnvs());

test('makePulumiEnvironment() makes one passphrase, once, that only its owner can read', async () => {
  const root = await makeRoot('backend: { url: "file://.davit/pulumi" }');
  const make = async () => makePulumiEnvironment(root, ENGINE, await readBackend(root));
  const [first, second] = await Promise.all([make(), make()]);
  const file = join(root, '.davit', 'passphrase');
  expect([first['PULUMI_CONFIG_PASSPHRASE_FILE'], second['PULUMI_CONFIG_PASSPHRASE_FILE']]).toEqual([file, file]);
  const passphrase = await readFile(file, 'utf8');
  expect(passphrase).toMatch(/^[\w-]{43}$/);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await make();
  expect(await readFile(file, 'utf8')).toBe(passphrase);
});

test('makePulumiEnvironment() leaves to the user what the user has set', async () => {
  const root = await makeRoot('backend: { url: "file://.davit/pulumi" }');
  const make = async () => makePulumiEnvironment(root, ENGINE, await readBackend(root));
  const own = await make();
  expect(own['PULUMI_HOME']).toMatch(/pulumi\/home$/);
  vi.stubEnv('PULUMI_HOME', '/home/ann/.pulumi');
  vi.stubEnv('PULUMI_CONFIG_PASSPHRASE', '');
  const users = await make();
  expect([users['PULUMI_HOME'], users['PULUMI_CONFIG_PASSPHRASE_FILE']]).toEqual([undefined, undefined]);
});

test("makePulumiEnvironment() keeps the user's login for a backend that is not a folder", async () => {
  const root = await makeRoot('backend: { url: "file://.davit/pulumi" }');
  vi.stubEnv('PULUMI_BACKEND_URL', 'https://api.pulumi.com');
  const backend = await readBackend(root);
  expect(backend).toEqual({ url: 'https://api.pulumi.com', folder: undefined, project: 'p' });
  const downloaded = { ...ENGINE, source: 'download' } as const;
  expect(await makePulumiEnvironment(root, downloaded, backend)).not.toHaveProperty('PULUMI_HOME');
  // Its providers are in a home of ours, the login is not.
  const built = await makePulumiEnvironment(root, ENGINE, backend);
  expect(built['PULUMI_HOME']).toMatch(/pulumi\/home$/);
  expect(built['PULUMI_CREDENTIALS_PATH']).toBe(join(homedir(), '.pulumi'));
});

test("calls to the engine go past the user's proxy, unless the user says which gRPC calls do", async () => {
  const root = await makeRoot('backend: { url: "file://.davit/pulumi" }');
  const make = async () => makeShellEnvironment(root, ENGINE, await readBackend(root));
  vi.stubEnv('no_grpc_proxy', undefined);
  expect(await make()).toMatchObject({ no_grpc_proxy: '127.0.0.1,localhost' });
  vi.stubEnv('no_grpc_proxy', 'example.com');
  expect(await make()).not.toHaveProperty('no_grpc_proxy');
});

test('renderExports() prints what a shell reads back unchanged', async () => {
  const root = await makeRoot('');
  const environment = {
    ...(await makeShellEnvironment(root, ENGINE, await readBackend(root))),
    TRICKY: `it's $HOME "and" \`more\`\n`,
  };
  const script = `${renderExports(environment)}node -e 'process.stdout.write(JSON.stringify(process.env))'`;
  const seen = JSON.parse(execFileSync('sh', ['-c', script], { encoding: 'utf8' })) as Record<string, string>;
  expect(seen).toMatchObject(environment);
  expect(seen['PATH']).toMatch(/^\/engines\/bin:/);
});

test.each([
  ['file://.davit/pulumi', '/root/project/.davit/pulumi'],
  ['file:///var/state?no_tmp_dir=true', '/var/state'],
  ['file://~/state', undefined],
  ['s3://bucket', undefined],
  [undefined, undefined],
])('readBackend() knows the folder of %s', async (url, folder) => {
  const root = await makeRoot(url === undefined ? '' : `backend: { url: "${url}" }`);
  const backend = await readBackend(root);
  expect(backend).toEqual({ url, folder: folder?.replace('/root/project', root), project: 'p' });
});

async function makeRoot(more: string): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'davit-root-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await writeFile(join(root, 'Pulumi.yaml'), `name: p\nruntime: nodejs\n${more}\n`);
  return root;
}
