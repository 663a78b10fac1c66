import { createHash } from 'node:crypto';

/** The environment of a command that names none: this machine, for development. */
export const DEFAULT_ENVIRONMENT = 'local';

/** `iris.local`: the Pulumi stack of one endpoint in one environment. */
export function stackName(endpoint: string, environment: string): string {
  return `${endpoint}.${environment}`;
}

/**
 * The contents of a stack: an endpoint in an environment, the images of an endpoint, or the platform of an environment.
 */
export type StackPurpose =
  | { readonly kind: 'endpoint'; readonly endpoint: string; readonly environment: string }
  | { readonly kind: 'images'; readonly endpoint: string }
  | { readonly kind: 'platform'; readonly environment: string };

const IMAGES = '_images';
/** The name of an environment's platform in `davit up`. No endpoint can have this name. */
export const PLATFORM = '_platform';

/**
 * `iris._images`: the stack that builds images of an endpoint or of PLATFORM, for all environments with one registry.
 */
export function imagesStackName(endpoint: string): string {
  return `${endpoint}.${IMAGES}`;
}

/** `_platform.production`: the stack of an environment's platform. */
export function platformStackName(environment: string): string {
  return `${PLATFORM}.${environment}`;
}

/** Parses the name of a stack: `iris.local` → endpoint and environment. Returns undefined for other texts. */
export function parseStackName(stack: string): StackPurpose | undefined {
  const [first, second, ...rest] = stack.split('.');
  if (!first || !second || rest.length > 0) return undefined;
  if (second === IMAGES) return { kind: 'images', endpoint: first };
  if (first === PLATFORM) return { kind: 'platform', environment: second };
  return { kind: 'endpoint', endpoint: first, environment: second };
}

const HASH_LENGTH = 10;
const REVISION_HASH = /^[0-9a-f]{10}$/;

/** `iris-1-3f9c2a71d0`: the entity and a hash of the content, so that the same content always has the same name. */
export function revisionName(entity: string, content: unknown): string {
  return `${entity}-${contentHash(content).slice(0, HASH_LENGTH)}`;
}

/** Whether a revision belongs to an entity: `iris-2-3f9c2a71d0` belongs to `iris-2`, not to `iris`. */
export function isRevisionOf(revision: string, entity: string): boolean {
  return revision.startsWith(`${entity}-`) && REVISION_HASH.test(revision.slice(entity.length + 1));
}

/** Hex SHA-256 of a JSON value. The order of keys does not matter. */
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
