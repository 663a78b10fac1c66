import type { NetworkUse } from '../../schemas/lock/proof.ts';
import { parseNetworkAddress, renderNetworkAddress } from '../../schemas/values/network-address.ts';
import { type Diagnostic, makeWarning } from '../../schemas/diagnostic.ts';
import type { Subject } from '../subject.ts';

/** What a model asked for in the sandbox, and what it reached. */
export interface NetworkRecord {
  /** As the model's process writes it. */
  readonly asked: readonly string[];
  readonly network: readonly NetworkUse[];
}

const MAX_SHOWN = 3;
const HOST = /^[a-z0-9][a-z0-9._-]{0,252}$/;

/** The services that a model asked for and that it could not reach, in the form of an endpoint file, or a host alone. */
export function listUnreached({ asked, network }: NetworkRecord): readonly string[] {
  const reached = network.filter((use) => use.failure === undefined).map(renderNetworkAddress);
  const named = asked.flatMap((text) => {
    const address = parseNetworkAddress(text);
    if (address) return [renderNetworkAddress(address)];
    return HOST.test(text) && !network.some((use) => use.host === text) ? [text] : [];
  });
  const failed = network.filter((use) => use.failure !== undefined).map(renderNetworkAddress);
  return [...new Set([...failed, ...named])].filter((address) => !reached.includes(address));
}

/** Names the services for a sentence: `a:443, b:443 and 2 more`. */
export function nameServices(addresses: readonly string[]): string {
  const shown = addresses.slice(0, MAX_SHOWN).join(', ');
  return addresses.length > MAX_SHOWN ? `${shown} and ${addresses.length - MAX_SHOWN} more` : shown;
}

/** How a proof reaches what it could not. Undefined: the model asked for nothing, as far as it was seen. */
export function explainNetwork(subject: Subject, record: NetworkRecord): string | undefined {
  const failed = record.network.filter((use) => use.failure !== undefined);
  const unreached = listUnreached(record).filter((a) => !failed.some((use) => renderNetworkAddress(use) === a));
  const isNamed = (address: string) => (subject.entity.network ?? []).some((s) => renderNetworkAddress(s) === address);
  const [named, missing] = [unreached.filter(isNamed), unreached.filter((address) => !isNamed(address))];
  const parts = [
    ...failed.map((use) => `This machine cannot reach ${renderNetworkAddress(use)} (${use.failure ?? ''})`),
    ...(named.length > 0 ? [`The proof may not reach ${nameServices(named)}: see network-not-allowed`] : []),
    ...(missing.length > 0 ? [renderWay(subject, missing)] : []),
  ];
  return parts.length === 0 ? undefined : parts.join('. ');
}

function renderWay({ alone, entity, endpoint }: Subject, missing: readonly string[]): string {
  const what = `It asked for ${nameServices(missing)}, which the sandbox does not reach`;
  const isWhole = missing.every((address) => parseNetworkAddress(address));
  if (alone) {
    const options = (isWhole ? missing.slice(0, MAX_SHOWN) : ['HOST:PORT']).map((address) => `--network ${address}`);
    return `${what}: with ${options.join(' ')}, davit predict lets it; --without-sandbox runs the model with your own rights and network`;
  }
  const text = isWhole ? nameServices(missing) : 'HOST:PORT';
  return `${what}: to allow it, add ${text} to davit.served_entities.${entity.name}.validation.network in ${endpoint.file} and to policy.network of the environment`;
}

/** Whether a service that the model may reach did not answer this machine. */
export function hasFailedService(network: readonly NetworkUse[]): boolean {
  return network.some((use) => use.failure !== undefined);
}

/** Warns on the line of each service that did not answer this machine. Such a proof is not kept. */
export function reportFailedServices(
  { entity, label }: Subject,
  network: readonly NetworkUse[],
): readonly Diagnostic[] {
  return network.flatMap((use) => {
    if (use.failure === undefined) return [];
    const address = renderNetworkAddress(use);
    const place = entity.network?.find((s) => renderNetworkAddress(s) === address)?.place ?? entity.place;
    const message = `The proof of ${label} could not reach ${address} (${use.failure})`;
    return [makeWarning('service-unreachable', place, message, UNREACHABLE_HINT)];
  });
}

const UNREACHABLE_HINT =
  'Correct the address, or start the service, and run davit validate again: this proof is not kept';
