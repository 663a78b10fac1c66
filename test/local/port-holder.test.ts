import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { describePortHolder } from '../../local/port-holder.ts';

it.runIf(process.platform === 'linux')(
  'describePortHolder() names the process that listens, and nothing else',
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
