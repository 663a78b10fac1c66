import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import providerGrpc from '@pulumi/pulumi/proto/provider_grpc_pb.js';
import type pluginPb from '@pulumi/pulumi/proto/plugin_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installStandIns } from '../../../offline/plugins/install-stand-ins.ts';

const CODE = join(import.meta.dirname, '..', '..', '..');
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'davit-home-'));
  await installStandIns(home);
});

afterAll(() => rm(home, { recursive: true }));

const SCRIPTS = [
  ['kubernetes', '4.34.2'],
  ['docker', '5.2.0'],
] as const;

test.each(SCRIPTS)(
  'the stand-in for %s is where the engine looks for version %s, and is that',
  async (name, version) => {
    const child = start(name, version, CODE);
    const [port] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
    const client = new providerGrpc.ResourceProviderClient(`127.0.0.1:${port.trim()}`, credentials.createInsecure());
    const info = await new Promise<pluginPb.PluginInfo>((done, fail) =>
      client.getPluginInfo(new emptyPb.Empty(), (e, answer) => (e ? fail(e) : done(answer))),
    );
    expect(info.getVersion()).toBe(version);
    client.close();
    child.stdin.end(); // as an engine that ends does
    expect(await once(child, 'close')).toEqual([0, null]);
  },
);

test('installStandIns() leaves alone what is right already', async () => {
  const file = join(home, 'plugins', 'resource-kubernetes-v4.34.2', 'pulumi-resource-kubernetes');
  const { ino } = await stat(file);
  await installStandIns(home);
  expect((await stat(file)).ino).toBe(ino);
});

test('a stand-in says what is missing when it cannot find the code', async () => {
  const child = start('kubernetes', '4.34.2', '/nowhere');
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  expect(await once(child, 'close')).toEqual([1, null]);
  expect(said).toContain('expected DAVIT_HOME to name the folder');
});

function start(name: string, version: string, code: string) {
  const script = join(home, 'plugins', `resource-${name}-v${version}`, `pulumi-resource-${name}`);
  return spawn(script, ['127.0.0.1:1'], { env: { ...process.env, DAVIT_HOME: code } });
}
