import { createHash } from 'node:crypto';

/** `iris.local`: the Pulumi stack of one endpoint in one environment. */
export function stackName(endpoint: string, environment: string): string {
  return `${endpoint}.${environment}`;
}

/** What a stack is for: one endpoint in one environment, the images of an endpoint, the shared parts of an environment. */
export type StackPurpose =
  | { readonly kind: 'endpoint'; readonly endpoint: string; readonly environment: string }
  | { readonly kind: 'images'; readonly endpoint: string }
  | { readonly kind: 'platform'; readonly environment: string };

const IMAGES = '_images';
/** What `davit up` calls the shared parts of an environment; no endpoint can have this name. */
export const PLATFORM = '_platform';

/** `iris._images`: the stack that builds the images of an endpoint, or of PLATFORM, for all environments of a registry. */
export function imagesStackName(endpoint: string): string {
  return `${endpoint}.${IMAGES}`;
}

/** `_platform.production` */
export function platformStackName(environment: string): string {
  return `${PLATFORM}.${environment}`;
}

/** The way back: `iris.local` → endpoint and environment; undefined for anything else. */
export function parseStackName(stack: string): StackPurpose | undefined {
  const [first, second, ...rest] = stack.split('.');
  if (!first || !second || rest.length > 0) return undefined;
  if (second === IMAGES) return { kind: 'images', endpoint: first };
  if (first === PLATFORM) return { kind: 'platform', environment: second };
  return { kind: 'endpoint', endpoint: first, environment: second };
}

/** `iris-1-3f9c2a71d0`: a revision is its entity and what it is made of, so the same content has the same name. */
export function revisionName(entity: string, content: unknown): string {
  return `${entity}-${contentHash(content).slice(0, 10)}`;
}

/** SHA-256, in hex, of a JSON value whatever the order of its keys. */
export function contentHash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, v: unknown) =>
    v !== null && typeof v === 'object' && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
}
