import { contentHash } from './names.ts';

/** Prefix of the labels and annotations that Davit puts on Kubernetes objects. */
const DOMAIN = 'davit.dev';
export const ENDPOINT_LABEL = `${DOMAIN}/endpoint`;
export const ENTITY_LABEL = `${DOMAIN}/entity`;
/** On what belongs to the platform of an environment, and names that environment. */
export const ENVIRONMENT_LABEL = `${DOMAIN}/environment`;

/** A name of an object that Kubernetes does not make a name of DNS: a Secret's, a ConfigMap's. */
export const OBJECT_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
export const OBJECT_NAME_RULE = 'expected 1 to 253 small letters, digits, "-" or "."';

const ENDPOINT_SLUG = 18;
const ENTITY_SLUG = 9;
const ENDPOINT_HASH = 8;
const ENTITY_HASH = 4;
const REVISION_HASH = 10;

/**
 * `iris-1a2b3c4d`: an endpoint's objects. Databricks' names have capitals, underscores and up to 63 characters, those of
 * Kubernetes have not: the hash keeps two of them apart. At most 27 characters.
 */
export function endpointObjectName(endpoint: string): string {
  return `${slug(endpoint, ENDPOINT_SLUG, 'e')}-${contentHash({ endpoint }).slice(0, ENDPOINT_HASH)}`;
}

/** `iris-2-9f3c`: a served entity inside its endpoint; also the tag of its route. At most 14 characters. */
export function entityTag(entity: string): string {
  return `${slug(entity, ENTITY_SLUG, 's')}-${contentHash({ entity }).slice(0, ENTITY_HASH)}`;
}

/** `iris-1a2b3c4d-iris-2-9f3c`: what belongs to a served entity, whatever its content. At most 42 characters. */
export function entityObjectName(endpoint: string, entity: string): string {
  return `${endpointObjectName(endpoint)}-${entityTag(entity)}`;
}

/**
 * The Configuration of a served entity and what it is made of: it has one Revision, ever, and goes with it. At most 53
 * characters.
 */
export function configurationName(endpoint: string, entity: string, content: unknown): string {
  return `${entityObjectName(endpoint, entity)}-${contentHash(content).slice(0, REVISION_HASH)}`;
}

/** The one Revision of a Configuration. At most 55 characters: Knative adds `-private` for a Service of its own. */
export function knativeRevisionName(configuration: string): string {
  return `${configuration}-1`;
}

/** The host under which Kourier knows an endpoint, or one of its entities. */
export function internalHost(endpoint: string, namespace: string, entity?: string): string {
  const route = endpointObjectName(endpoint);
  return `${entity === undefined ? '' : `${entityTag(entity)}-`}${route}.${namespace}.svc.cluster.local`;
}

/** A label of DNS begins with a letter, so that it may be a Service. */
function slug(name: string, length: number, prefix: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  const named = /^[a-z]/.test(plain) ? plain : `${prefix}-${plain}`;
  return named.slice(0, length).replaceAll(/-+$/g, '');
}
