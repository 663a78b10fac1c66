/** A model in a container registry: `oci://ghcr.io/acme/iris:2`, `oci://ghcr.io/acme/iris@sha256:…`. */
export interface ImageUri {
  readonly registry: string;
  /** `acme/iris` */
  readonly name: string;
  readonly tag: string | undefined;
  /** `sha256:…`. It counts before the tag. */
  readonly digest: string | undefined;
}

const REGISTRY = /^(?:localhost(?::\d{1,5})?|[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d{1,5})?|[a-z0-9-]+:\d{1,5}|\[[0-9a-f:.]+\](?::\d{1,5})?)$/i; // prettier-ignore
const PART = /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

export function isImageUri(uri: string): boolean {
  return uri.startsWith('oci:');
}

/** Whether a text is the host of a container registry, perhaps with a port. */
export function isRegistryHost(text: string): boolean {
  return REGISTRY.test(text);
}

/** Undefined: the URI does not name an image with a tag or a digest. */
export function parseImageUri(uri: string): ImageUri | undefined {
  const [, registry = '', path = ''] = /^oci:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
  const [named = '', digest, ...more] = path.split('@');
  const colon = named.lastIndexOf(':');
  const name = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  const isName = REGISTRY.test(registry) && name.split('/').every((part) => PART.test(part));
  const isVersion = (tag === undefined || TAG.test(tag)) && (digest === undefined || DIGEST.test(digest));
  const hasVersion = tag !== undefined || digest !== undefined;
  return isName && isVersion && hasVersion && more.length === 0
    ? { registry: registry.toLowerCase(), name, tag, digest }
    : undefined;
}

/** What is in the lock and the cache: the repository and the digest. */
export function renderFixedImage({ registry, name }: ImageUri, digest: string): string {
  return `oci://${registry}/${name}@${digest}`;
}
