import { isIP } from 'node:net';
import { z } from 'zod';
import { refuseRepeated } from '../yaml/refuse-repeated.ts';

/** A service that a program may reach: one port of one host. */
export interface NetworkAddress {
  /** A name in lowercase, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** As in a URL: `api.example.com:443`, `10.0.3.7:5432`, `[fd00::7]:5432`. */
const NETWORK_ADDRESS = /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\]):[1-9]\d{0,4}$/;

const EXPECTED =
  'expected HOST:PORT, such as api.example.com:443, 10.0.3.7:5432 or [fd00::7]:5432, without a scheme, a path or "*"';

const EXPECTED_IPV4 = 'expected the IPv4 address in its own form, such as 10.0.3.7:5432';

/** An address in a file. */
const networkAddress = z
  .string()
  .regex(NETWORK_ADDRESS, EXPECTED)
  .refine((text) => parseNetworkAddress(text) !== undefined, {
    error: ({ input }) => (isMappedAddress(String(input)) ? EXPECTED_IPV4 : EXPECTED),
  });

/** Addresses that mean no single host. */
const NO_HOST = ['0.0.0.0', '::', '255.255.255.255'];

/** Parses an address as an endpoint file has it. Undefined: it is not an address. */
export function parseNetworkAddress(text: string): NetworkAddress | undefined {
  if (!NETWORK_ADDRESS.test(text)) return undefined;
  const at = text.lastIndexOf(':');
  const port = Number(text.slice(at + 1));
  const written = text.slice(0, at);
  const host = written.startsWith('[') ? readIPv6(written.slice(1, -1)) : readHost(written.toLowerCase());
  return host === undefined || port > 65_535 || NO_HOST.includes(host) ? undefined : { host, port };
}

function readIPv6(text: string): string | undefined {
  const host = normalizeIPv6(text);
  return host === undefined || MAPPED.test(host) ? undefined : host;
}

/** `::ffff:10.0.3.7` is another spelling of 10.0.3.7. */
const MAPPED = /^::ffff:[0-9a-f]{1,4}:[0-9a-f]{1,4}$/;

function isMappedAddress(text: string): boolean {
  const written = /^\[([^\]]*)\]/.exec(text)?.[1] ?? '';
  return MAPPED.test(normalizeIPv6(written) ?? '');
}

/** One spelling of each address. */
function normalizeIPv6(text: string): string | undefined {
  return isIP(text) === 6 ? new URL(`http://[${text}]`).hostname.slice(1, -1) : undefined;
}

/** The last label of a name begins with a letter: `127.1` and `0x7f.1` are other spellings of addresses. */
function readHost(text: string): string | undefined {
  if (isIP(text) === 4) return text;
  const labels = text.split('.');
  const isName = labels.every((label) => label.length > 0 && label.length <= 63 && !label.startsWith('-'));
  return isName && /^[a-z]/.test(labels.at(-1) ?? '') ? text : undefined;
}

export function renderNetworkAddress({ host, port }: NetworkAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A list of different addresses. */
export function makeNetworkAddressList(max: number) {
  return z
    .array(networkAddress)
    .max(max, `expected at most ${max} addresses`)
    .superRefine(refuseRepeated(normalizeNetworkAddress));
}

/** One spelling of an address as a file has it. An invalid one is its own. */
export function normalizeNetworkAddress(text: string): string {
  const address = parseNetworkAddress(text);
  return address === undefined ? text : renderNetworkAddress(address);
}
