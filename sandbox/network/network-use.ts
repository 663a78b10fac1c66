import type { NetworkAddress } from '../../schemas/values/network-address.ts';

/** How a program used a service that it may reach. */
export interface NetworkUse extends NetworkAddress {
  readonly connections: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Why this machine could not connect, the last time: `ECONNREFUSED`. Undefined: every connection was made. */
  readonly failure: string | undefined;
}
