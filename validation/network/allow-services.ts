import { type Diagnostic, makeWarning } from '../../schemas/diagnostic.ts';
import type { Entity } from '../../schemas/endpoint/endpoint.ts';
import { isLocalHost } from '../../sandbox/network/local-addresses.ts';
import { type NetworkAddress, renderNetworkAddress } from '../../schemas/values/network-address.ts';
import type { ResolvedPolicy } from '../policy.ts';
import type { Subject } from '../subject.ts';

/** Who allows the services that a model asks to reach in its proof. */
export interface NetworkRules {
  readonly policy: Pick<ResolvedPolicy, 'network'>;
  /** The services that the endpoint file of the base branch names, so a review has accepted them. */
  readonly acceptedServices?: readonly string[] | undefined;
  /** Whether the run is that of a fork or of Dependabot: nobody of the project has reviewed or pushed the code yet. */
  readonly isRestricted?: boolean | undefined;
}

/**
 * The services that a model may reach in its proof. An author cannot allow one alone, and a fork gets none. A service of
 * this machine, its link or the metadata of its cloud needs the environments, because a review of an endpoint file knows
 * nothing of the machines that validate.
 */
export function allowServices(
  { network = [] }: Entity,
  { policy, acceptedServices = [], isRestricted = false }: NetworkRules,
): readonly NetworkAddress[] {
  if (isRestricted) return [];
  return network
    .filter((service) => {
      const address = renderNetworkAddress(service);
      return policy.network.includes(address) || (acceptedServices.includes(address) && !isLocalHost(service.host));
    })
    .map(({ host, port }) => ({ host, port }));
}

/** Reports each service that the model may not reach. The proof continues without it. */
export function reportRefusedServices(
  { entity, label }: Subject,
  allowed: readonly NetworkAddress[],
  { isRestricted = false }: Pick<NetworkRules, 'isRestricted'> = {},
): readonly Diagnostic[] {
  const isAllowed = (service: NetworkAddress) =>
    allowed.some((other) => renderNetworkAddress(other) === renderNetworkAddress(service));
  return (entity.network ?? [])
    .filter((service) => !isAllowed(service))
    .map((service) => {
      const { why, hint } = isRestricted ? RESTRICTED : isLocalHost(service.host) ? LOCAL : NOT_ALLOWED;
      const message = `Cannot let ${label} reach ${renderNetworkAddress(service)} in its proof: ${why}`;
      return makeWarning('network-not-allowed', service.place, message, hint);
    });
}

const RESTRICTED = {
  why: 'the run of a pull request from a fork, or of Dependabot, gets no services, because nobody has reviewed its code',
  hint: 'A maintainer who has read the code pushes it to a branch of the repository, whose run may reach what is allowed. Until then the proof has no such service',
};
const LOCAL = {
  why: 'it is an address of the machine that validates, of its link or of the metadata of its cloud, expected it in policy.network of every environment',
  hint: 'Add it to policy.network in environments/NAME.yaml and merge that first. Until then the proof has no such service',
};
const NOT_ALLOWED = {
  why: 'neither the environments nor this file on the base branch allow it, expected it in policy.network of every environment',
  hint: 'Add it to policy.network in environments/NAME.yaml and merge that first, or merge this file: the next review allows what it names. Until then the proof has no such service',
};
