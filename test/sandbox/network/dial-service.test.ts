import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { LOCAL_ADDRESS, lookUpElsewhere } from '../../../sandbox/network/dial-service.ts';

const own = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((i) => i.address));

/** `lookup` of the system also parses addresses, so no name server is needed. */
test.each([
  ...['localhost', '127.0.0.1', '127.9.9.9', '0.0.0.0', '169.254.169.254', '100.100.100.200', '224.0.0.1'],
  ...['::1', '::', 'fe80::1', 'fd00:ec2::254', '::ffff:127.0.0.1', '::ffff:169.254.169.254', '2130706433', '0x7f.1'],
  ...['fd20:ce::254', 'fd00:c1::a9fe:a9fe', 'fd00:42::42', '64:ff9b::a9fe:a9fe', '64:ff9b:1::a9fe:a9fe', '::a9fe:a9fe'],
  ...['::ffff:0:169.254.169.254', '2002:a9fe:a9fe::1', '2001::1', 'fec0::1', '192.0.0.192', '168.63.129.16'],
  ...own,
])('a name that means %s reaches nothing', async (address) => {
  const found = promisify(lookUpElsewhere)(address, { all: true });
  await expect(found).rejects.toThrow(address.includes(':') || /^[\d.]+$/.test(address) ? LOCAL_ADDRESS : /./);
});

test.each(['10.255.3.7', '192.0.2.1', '2001:db8::1', 'fd12::7', '2606:4700::1'])(
  'a name that means %s reaches it',
  async (address) => {
    if (own.includes(address)) return;
    expect(await promisify(lookUpElsewhere)(address, { all: true })).toMatchObject([{ address }]);
  },
);
