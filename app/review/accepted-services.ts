import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import { parseEndpoint } from '../../schemas/endpoint/parse-endpoint.ts';
import type { ProjectFolders } from '../../schemas/read-project.ts';
import { renderNetworkAddress } from '../../schemas/values/network-address.ts';
import { readBaseFile } from './read-base-file.ts';

export interface AcceptedRequest {
  readonly place: ProjectFolders;
  /** The commit that the review compares with. Undefined: there is none. */
  readonly base: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * The services that the endpoint file of the base names, for any of its entities, because an entity of a new version has
 * another name. A review has accepted them, so a pull request may use them, and can add none by itself. Undefined: there is
 * no base.
 */
export async function readAcceptedServices(
  { name, entities }: Endpoint,
  { place, base, signal }: AcceptedRequest,
): Promise<readonly string[] | undefined> {
  if (base === undefined) return undefined;
  if (entities.every(({ network = [] }) => network.length === 0)) return [];
  const file = `${place.endpoints}/${name}.yaml`;
  const text = await readBaseFile(
    file,
    { place, base, signal },
    'which says what the models may reach in their proofs',
  );
  const accepted = text === undefined ? undefined : parseEndpoint(text, file).endpoint;
  return (accepted?.entities ?? []).flatMap(({ network = [] }) => network.map(renderNetworkAddress));
}
