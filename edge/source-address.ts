import { isIPv6 } from 'node:net';

/** A network that gives each customer at least 64 bits of addresses counts as one source. */
const IPV6_GROUPS = 4;

/**
 * The address that a request came to Envoy from: the last one of X-Forwarded-For, because Envoy adds that one itself. For
 * IPv6 its network. Empty: Envoy does not pass it on.
 */
export function readSource(headers: NodeJS.Dict<string | string[]>): string {
  const forwarded = headers['x-forwarded-for'];
  const all = Array.isArray(forwarded) ? forwarded.join(',') : (forwarded ?? '');
  const address = all.slice(all.lastIndexOf(',') + 1).trim();
  return isIPv6(address) ? listGroups(address).slice(0, IPV6_GROUPS).join(':') : address;
}

function listGroups(address: string): readonly string[] {
  const [before = '', after] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const [left, right] = [groups(before), groups(after ?? '')];
  const missing = after === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  return [...left, ...Array<string>(missing).fill('0'), ...right];
}
