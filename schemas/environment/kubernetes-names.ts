import { contentHash } from '../values/names.ts';

/** Prefix of the labels and annotations that Davit puts on Kubernetes objects. */
const DOMAIN = 'davit.dev';
export const ENDPOINT_LABEL = `${DOMAIN}/endpoint`;
export const ENTITY_LABEL = `${DOMAIN}/entity`;
/** Annotation of an endpoint's objects: ENDPOINT or ENDPOINT/ENTITY, because their own names are shortened. */
export const NAME_ANNOTATION = `${DOMAIN}/name`;
/** Label on every object of a platform. Its value is the name of the environment. */
export const ENVIRONMENT_LABEL = `${DOMAIN}/environment`;

/** A DNS subdomain, which Kubernetes requires as the name of a Secret or a ConfigMap. */
export const OBJECT_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
export const OBJECT_NAME_RULE = 'expected 1 to 253 lowercase letters, digits, "-" or "."';

const ENDPOINT_SLUG = 18;
const ENTITY_SLUG = 9;
const ENDPOINT_HASH = 8;
const ENTITY_HASH = 4;
const REVISION_HASH = 10;

/**
 * `iris-1a2b3c4d`: the name of an endpoint's objects, at most 27 characters. Databricks names can have capitals,
 * underscores and 63 characters, and Kubernetes names cannot. The hash keeps shortened names distinct.
 */
export function endpointObjectName(endpoint: string): string {
  return `${makeSlug(endpoint, ENDPOINT_SLUG, 'e')}-${contentHash({ endpoint }).slice(0, ENDPOINT_HASH)}`;
}

/** `iris-2-9f3c`: a served entity within its endpoint, and the tag of its route. At most 14 characters. */
export function entityTag(entity: string): string {
  return `${makeSlug(entity, ENTITY_SLUG, 's')}-${contentHash({ entity }).slice(0, ENTITY_HASH)}`;
}

/** `iris-1a2b3c4d-iris-2-9f3c`: objects of a served entity that do not depend on its content. At most 42 characters. */
export function entityObjectName(endpoint: string, entity: string): string {
  return `${endpointObjectName(endpoint)}-${entityTag(entity)}`;
}

/**
 * The name of the Configuration for one content of a served entity. A Configuration has exactly one Revision and is
 * deleted with it. At most 53 characters.
 */
export function configurationName(endpoint: string, entity: string, content: unknown): string {
  return `${entityObjectName(endpoint, entity)}-${contentHash(content).slice(0, REVISION_HASH)}`;
}

/** The only Revision of a Configuration. At most 55 characters, because Knative appends `-private` for a Service. */
export function knativeRevisionName(configuration: string): string {
  return `${configuration}-1`;
}

/** The host that Kourier routes to an endpoint or to one of its entities. */
export function internalHost(endpoint: string, namespace: string, entity?: string): string {
  const route = endpointObjectName(endpoint);
  return `${entity === undefined ? '' : `${entityTag(entity)}-`}${route}.${namespace}.svc.cluster.local`;
}

/** Makes a DNS label that starts with a letter, because Service names require that. */
function makeSlug(name: string, length: number, prefix: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|(?<!-)-+$/g, '');
  const named = /^[a-z]/.test(plain) ? plain : `${prefix}-${plain}`;
  return named.slice(0, length).replaceAll(/(?<!-)-+$/g, '');
}
