import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describePortHolder } from '../../../local/gateway/port-holder.ts';

it.runIf(process.platform === 'linux')(
  'describePortHolder() names only the process that listens on the port',
  async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await describePortHolder(port)).toMatch(new RegExp(`^process ${process.pid} \\(.+\\)$`));
    server.close();
    await once(server, 'close');
    expect(await describePortHolder(port)).toBeUndefined();
  },
);

it.runIf(process.platform === 'linux')('describePortHolder() names an environment whose gateway listens', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'davit-port-'));
  const program = join(folder, 'local', 'supervisor', 'supervisor.ts');
  await mkdir(join(folder, 'local', 'supervisor'), { recursive: true });
  await writeFile(program, "require('net').createServer().listen(0, function () { console.log(this.address().port) })");
  const holder = spawn(process.execPath, [program, '--project', '/my/project', '--environment', 'staging']);
  try {
    const [port] = (await once(holder.stdout, 'data')) as [Buffer];
    expect(await describePortHolder(Number(port.toString()))).toBe(
      `process ${holder.pid ?? 0} (the gateway of the environment "staging" of /my/project)`,
    );
  } finally {
    holder.kill();
    await rm(folder, { recursive: true });
  }
});
