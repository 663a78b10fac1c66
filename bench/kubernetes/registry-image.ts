import { request } from '../../system/node-http.ts';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { parseImageReference, makeRegistryUrl } from '../../images/image-reference.ts';

/** A compressed layer of an image in the registry. */
export interface Layer {
  readonly digest: string;
  readonly size: number;
}

const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

interface Manifest {
  readonly manifests?: readonly { readonly digest: string; readonly platform?: { readonly architecture: string } }[];
  readonly layers?: readonly Layer[];
}

/** Reads an image's layers from a registry that needs no login. */
export async function readLayers(reference: string): Promise<readonly Layer[]> {
  const { registry, name, version } = parseImageReference(reference);
  const read = async (which: string) => {
    const url = `${makeRegistryUrl(registry)}/v2/${name}/manifests/${which}`;
    const response = await fetch(url, { headers: { accept: ACCEPT } });
    if (!response.ok) throw new Error(`Cannot read ${url}: ${response.status}`);
    return (await response.json()) as Manifest;
  };
  const top = await read(version ?? 'latest');
  const image = top.manifests?.find((m) => m.platform?.architecture !== 'unknown'); // not the attestations
  return (image ? await read(image.digest) : top).layers ?? [];
}

/**
 * Sends a request to Docker's engine over its socket. Returns undefined if there is no socket or no such object.
 */
export async function sendDockerRequest(
  dockerHost: string | undefined,
  method: string,
  path: string,
): Promise<unknown> {
  const socketPath = /^unix:\/\/(.+)$/.exec(dockerHost ?? '')?.[1];
  if (socketPath === undefined) return undefined;
  const sent = request({ socketPath, method, path }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const body = await text(response);
  return response.statusCode === 200 ? (JSON.parse(body) as unknown) : undefined;
}
