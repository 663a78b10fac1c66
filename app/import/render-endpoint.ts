import { stringify } from 'yaml';
import { endpointFile } from '../../schemas/endpoint/endpoint-file.ts';
import { type Field, listFields } from '../../schemas/yaml/list-fields.ts';

let fields: readonly Field[] | undefined;

/** Renders an endpoint file with its fields in the order of the reference. */
export function renderEndpoint(value: unknown): string {
  fields ??= listFields(endpointFile);
  return stringify(sortFields(value, [], fields), { lineWidth: 0 });
}

function sortFields(value: unknown, parent: readonly string[], known: readonly Field[]): unknown {
  if (Array.isArray(value)) return value.map((item) => sortFields(item, [...parent, '[]'], known));
  if (typeof value !== 'object' || value === null) return value;
  const at = parent.join('.');
  const order = known.filter((f) => f.parent.join('.') === at).map((f) => f.name);
  const rank = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);
  const sorted = Object.entries(value).sort(([a], [b]) => rank(a) - rank(b));
  return Object.fromEntries(sorted.map(([key, child]) => [key, sortFields(child, [...parent, key], known)]));
}
