import { lookup } from 'node:dns';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import type { NetworkAddress } from '../../schemas/values/network-address.ts';
import { listLocalAddresses } from './local-addresses.ts';

const DIAL_MILLISECONDS = 10_000;

/** Connects to a service from this machine. The socket is not connected yet. */
export type Dial = (service: NetworkAddress) => Socket;

/**
 * Connects to exactly this host and port. Whoever controls the DNS of an allowed name must not choose a service of this
 * machine or of its network link, such as the metadata of a cloud, so a name never means one of those addresses. Only an
 * entry that is such an address itself, or `localhost`, reaches it.
 */
export const dialService: Dial = ({ host, port }) => {
  const socket = connect({
    host,
    port,
    allowHalfOpen: true,
    lookup: host === 'localhost' ? undefined : lookUpElsewhere,
  });
  const timer = setTimeout(() => socket.destroy(new DialError('ETIMEDOUT')), DIAL_MILLISECONDS);
  for (const event of ['connect', 'close'] as const) socket.once(event, () => clearTimeout(timer));
  return socket;
};

/** An error that has only a code, like those of the system. */
class DialError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** Resolves a name without the addresses of this machine and of its link. */
export const lookUpElsewhere: LookupFunction = (host, options, callback) => {
  lookup(host, { ...options, all: true }, (error, found) => {
    if (error) {
      callback(error, []);
      return;
    }
    const local = listLocalAddresses();
    const others = found.filter(({ address }) => !local.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'));
    const [first] = others;
    if (!first) {
      callback(new DialError(LOCAL_ADDRESS), []);
      return;
    }
    if (options.all === true) callback(null, others);
    else callback(null, first.address, first.family);
  });
};

/** The failure of a name that means this machine. */
export const LOCAL_ADDRESS = 'its name means an address of this machine or its link';
