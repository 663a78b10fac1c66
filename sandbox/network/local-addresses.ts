import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/**
 * The addresses that a name never means: those of this machine and its link, the metadata of clouds, and IPv6 addresses
 * that a gateway may translate to any IPv4 address. Addresses of private networks are not among them.
 */
export function listLocalAddresses(): BlockList {
  const list = new BlockList();
  for (const [address, bits] of IPV4) list.addSubnet(address, bits, 'ipv4');
  for (const [address, bits] of IPV6) list.addSubnet(address, bits, 'ipv6');
  for (const { address, family } of Object.values(networkInterfaces()).flatMap((all) => all ?? []))
    list.addAddress(address, family === 'IPv6' ? 'ipv6' : 'ipv4');
  return list;
}

/** Whether the host of a service is `localhost` or an address that a name never means. */
export function isLocalHost(host: string): boolean {
  const version = isIP(host);
  if (version === 0) return host === 'localhost' || host.endsWith('.localhost');
  return listLocalAddresses().check(host, version === 6 ? 'ipv6' : 'ipv4');
}

const IPV4 = [
  ['0.0.0.0', 8], // this host
  ['127.0.0.0', 8],
  ['169.254.0.0', 16], // link-local, with the metadata of most clouds
  ['100.100.100.200', 32], // metadata of Alibaba Cloud
  ['168.63.129.16', 32], // the host of Azure's machines
  ['192.0.0.0', 24], // protocols, with the former metadata of Oracle Cloud
  ['224.0.0.0', 3], // multicast and reserved
] as const;
const IPV6 = [
  ['::', 96], // this host, loopback and IPv4-compatible addresses
  ['::ffff:0:0:0', 96], // IPv4-translated addresses
  ['64:ff9b::', 96], // NAT64
  ['64:ff9b:1::', 48], // NAT64 of a network
  ['2001::', 32], // Teredo
  ['2002::', 16], // 6to4
  ['fe80::', 10],
  ['fec0::', 10], // site-local
  ['ff00::', 8],
  ['fd00:ec2::', 32], // metadata of AWS
  ['fd20:ce::', 32], // metadata of Google Cloud
  ['fd00:c1::', 32], // metadata of Oracle Cloud
  ['fd00:42::', 32], // metadata of Scaleway
] as const;
