import { type Diagnostic, makeWarning } from '../../schemas/diagnostic.ts';
import type { Entity } from '../../schemas/endpoint/endpoint.ts';
import type { Environment } from '../../schemas/environment/environment.ts';
import { isLocalHost } from '../../sandbox/network/local-addresses.ts';
import {
  type NetworkAddress,
  normalizeNetworkAddress,
  renderNetworkAddress,
} from '../../schemas/values/network-address.ts';
import type { ResolvedPolicy } from '../policy.ts';
import type { Subject } from '../subject.ts';

/** Who allows the services that a model asks to reach in its proof. */
export interface NetworkRules extends RefusalContext {
  readonly policy: Pick<ResolvedPolicy, 'network'>;
}

/** What a refusal has to say about those who could have allowed a service. */
export interface RefusalContext {
  /** The environments that the run is for. */
  readonly environments?: readonly Pick<Environment, 'name' | 'policy'>[] | undefined;
  /**
   * The services that the endpoint file of the base branch names, so a review has accepted them. Undefined: the run
   * compares with no base.
   */
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
  context: RefusalContext = {},
): readonly Diagnostic[] {
  const isAllowed = (service: NetworkAddress) =>
    allowed.some((other) => renderNetworkAddress(other) === renderNetworkAddress(service));
  return (entity.network ?? [])
    .filter((service) => !isAllowed(service))
    .map((service) => {
      const { why, repair } = context.isRestricted ? RESTRICTED : explainRefusal(service, context);
      const message = `Cannot let ${label} reach ${renderNetworkAddress(service)} in its proof: ${why}`;
      return makeWarning('network-not-allowed', service.place, message, `${repair}. ${UNTIL_THEN}`);
    });
}

interface Refusal {
  readonly why: string;
  readonly repair: string;
}

const UNTIL_THEN = 'Until then the proof has no such service';

const RESTRICTED: Refusal = {
  why: 'the run of a pull request from a fork, or of Dependabot, gets no services, because nobody has reviewed its code',
  repair:
    'A maintainer who has read the code pushes it to a branch of the repository, whose run may reach what is allowed',
};

/** A run with a base follows the policies of the base too, and the endpoint file there may allow the service. */
function explainRefusal(service: NetworkAddress, { environments = [], acceptedServices }: RefusalContext): Refusal {
  const address = renderNetworkAddress(service);
  const lacking = environments.filter(({ policy }) => !policy.network?.map(normalizeNetworkAddress).includes(address));
  const files = lacking.map(({ name }) => `environments/${name}.yaml`).join(' and ') || 'environments/NAME.yaml';
  const [hasBase, isLocal] = [acceptedServices !== undefined, isLocalHost(service.host)];
  const local = isLocal ? LOCAL : '';
  const orMerge = hasBase && !isLocal ? ', or merge this file: the next review allows what it names' : '';
  if (hasBase && environments.length > 0 && lacking.length === 0)
    return {
      why: `${local}policy.network has it only in this change, expected it also on the base branch`,
      repair: `Merge the change of the environment files first${orMerge}`,
    };
  return {
    why: `${local}policy.network of ${files} does not have it, expected it there`,
    repair: `Add it to policy.network in ${files}${hasBase ? ' and merge that first' : ''}${orMerge}`,
  };
}

const LOCAL =
  'it is an address of the machine that validates, of its link or of the metadata of its cloud, which only policy.network allows, and ';
