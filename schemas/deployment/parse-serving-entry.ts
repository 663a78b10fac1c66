import { endpointObjectName } from '../environment/kubernetes-names.ts';
import { PERMISSION_LEVELS, SERVING_ENTRY_KEY, type ServingEntry } from './serving-entry.ts';
import type { Signature } from '../lock/signature.ts';

/** Reads the entry from a ConfigMap. Throws an error if the entry is invalid or belongs to another endpoint. */
export function readServingEntry(object: string, data: Readonly<Record<string, string>> | undefined): ServingEntry {
  const text = data?.[SERVING_ENTRY_KEY];
  if (text === undefined) throw new TypeError(`Cannot find ${SERVING_ENTRY_KEY} in the data of the ConfigMap`);
  const entry = parseServingEntry(text);
  if (endpointObjectName(entry.name) === object) return entry;
  throw new TypeError(
    `Cannot read name: it is ${JSON.stringify(entry.name)}, expected the endpoint whose ConfigMap is ${object}`,
  );
}

/** Parses an entry. Throws a TypeError that names the invalid field, because a partial entry must not grant access. */
export function parseServingEntry(text: string): ServingEntry {
  const entry = parseRecord('the entry', JSON.parse(text));
  const { name, description, tags, host, entities, permissions, rateLimits, routeOptimized } = entry;
  return {
    name: string('name', name),
    description: string('description', description),
    tags: list('tags', tags, (tag, at) => {
      const { key, value } = parseRecord(at, tag);
      return { key: string(`${at}.key`, key), value: string(`${at}.value`, value) };
    }),
    host: string('host', host),
    entities: list('entities', entities, parseEntity),
    permissions: list('permissions', permissions, parsePermission),
    rateLimits: list('rateLimits', rateLimits, parseRateLimit),
    routeOptimized: boolean('routeOptimized', routeOptimized),
  };
}

function parseEntity(value: unknown, at: string): ServingEntry['entities'][number] {
  const entity = parseRecord(at, value);
  const text = (field: string) => string(`${at}.${field}`, entity[field]);
  const concurrency = parseRecord(`${at}.concurrency`, entity['concurrency']);
  const bound = (field: string) => number(`${at}.concurrency.${field}`, concurrency[field]);
  return {
    name: text('name'),
    host: text('host'),
    revision: text('revision'),
    modelName: text('modelName'),
    modelVersion: text('modelVersion'),
    workloadType: text('workloadType'),
    concurrency: { min: bound('min'), max: bound('max') },
    scaleToZero: boolean(`${at}.scaleToZero`, entity['scaleToZero']),
    trafficPercentage: number(`${at}.trafficPercentage`, entity['trafficPercentage']),
    ...(entity['signature'] !== undefined && { signature: parseSignature(entity['signature'], `${at}.signature`) }),
  };
}

/**
 * Does not parse the signature's JSON texts. They are parsed on use, so an invalid signature does not block queries.
 */
function parseSignature(value: unknown, at: string): Signature {
  const signature = parseRecord(at, value);
  const part = (field: string) => (signature[field] === null ? null : string(`${at}.${field}`, signature[field]));
  const typeHints = signature['typeHints'] === true ? { typeHints: true as const } : {};
  return { inputs: part('inputs'), outputs: part('outputs'), params: part('params'), ...typeHints };
}

function parsePermission(value: unknown, at: string): ServingEntry['permissions'][number] {
  const { principal: given, level } = parseRecord(at, value);
  const principal = parseRecord(`${at}.principal`, given);
  return {
    principal: {
      kind: parseOneOf(`${at}.principal.kind`, principal['kind'], ['user', 'group', 'service_principal', 'users']),
      name: string(`${at}.principal.name`, principal['name']),
    },
    level: parseOneOf(`${at}.level`, level, PERMISSION_LEVELS),
  };
}

function parseRateLimit(value: unknown, at: string): ServingEntry['rateLimits'][number] {
  const { calls, key, principal, renewalSeconds } = parseRecord(at, value);
  return {
    calls: number(`${at}.calls`, calls),
    key: parseOneOf(`${at}.key`, key, ['endpoint', 'user', 'user_group', 'service_principal']),
    principal: principal === undefined || principal === null ? undefined : string(`${at}.principal`, principal),
    renewalSeconds: number(`${at}.renewalSeconds`, renewalSeconds),
  };
}

function parseRecord(at: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw wrong(at, value, 'an object');
}

function list<T>(at: string, value: unknown, parse: (item: unknown, at: string) => T): readonly T[] {
  if (!Array.isArray(value)) throw wrong(at, value, 'a list');
  return value.map((item: unknown, i) => parse(item, `${at}[${i}]`));
}

function string(at: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw wrong(at, value, 'a string');
}

function number(at: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw wrong(at, value, 'a number of 0 or more');
}

function boolean(at: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw wrong(at, value, 'true or false');
}

function parseOneOf<T extends string>(at: string, value: unknown, known: readonly T[]): T {
  const found = known.find((k) => k === value);
  if (found !== undefined) return found;
  throw wrong(at, value, `one of ${known.join(', ')}`);
}

function wrong(at: string, value: unknown, expected: string): TypeError {
  return new TypeError(`Cannot read ${at}: it is ${JSON.stringify(value)}, expected ${expected}`);
}
