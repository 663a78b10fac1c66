import { type Diagnostic, makeWarning } from '../../schemas/diagnostic.ts';
import type { Entity } from '../../schemas/endpoint/endpoint.ts';
import { type NetworkAddress, renderNetworkAddress } from '../../schemas/values/network-address.ts';
import type { ResolvedPolicy } from '../policy.ts';
import type { Subject } from '../subject.ts';

/** Who allows the services that a model asks to reach in its proof. */
export interface NetworkRules {
  readonly policy: Pick<ResolvedPolicy, 'network'>;
  /** The services that the endpoint file of the base branch names, so a review has accepted them. */
  readonly acceptedServices?: readonly string[] | undefined;
}

/** The services that a model may reach in its proof. An author cannot allow one alone. */
export function allowServices(
  { network = [] }: Entity,
  { policy, acceptedServices = [] }: NetworkRules,
): readonly NetworkAddress[] {
  return network
    .filter((service) => [...policy.network, ...acceptedServices].includes(renderNetworkAddress(service)))
    .map(({ host, port }) => ({ host, port }));
}

/** Reports each service that nobody allows. The proof goes on without it. */
export function reportRefusedServices(
  { entity, label }: Subject,
  allowed: readonly NetworkAddress[],
): readonly Diagnostic[] {
  const isAllowed = (service: NetworkAddress) =>
    allowed.some((other) => renderNetworkAddress(other) === renderNetworkAddress(service));
  return (entity.network ?? [])
    .filter((service) => !isAllowed(service))
    .map((service) => {
      const address = renderNetworkAddress(service);
      const message = `Cannot let ${label} reach ${address} in its proof: neither the environments nor this file on the base branch allow it, expected it in policy.network of every environment`;
      return makeWarning('network-not-allowed', service.place, message, HINT);
    });
}

const HINT =
  'Add it to policy.network in environments/NAME.yaml and merge that first, or merge this file: the next review allows what it names. Until then the proof has no such service';
