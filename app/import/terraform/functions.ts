import type { SourceLocation } from '../../../schemas/diagnostic.ts';
import { readOwn } from '../../../schemas/values/read-own.ts';
import {
  fromPlain,
  listOf,
  listUnresolved,
  lookUp,
  makeMap,
  mapOf,
  MAX_SIZE,
  measure,
  renderScalar,
  type SourceNode,
  TOO_LARGE,
} from '../source-node.ts';
import { toBoolean, toNumber } from './convert-value.ts';
import { failIfUnresolved, Unresolvable } from './unresolvable.ts';

type Function = (given: readonly SourceNode[], place: SourceLocation) => SourceNode['value'] | SourceNode | undefined;

/** Calls one of Terraform's functions that names and texts of endpoints are made with. */
export function callFunction(name: string, given: readonly SourceNode[], place: SourceLocation): SourceNode {
  const call = readOwn(FUNCTIONS, name);
  for (const node of given) failIfUnresolvedFor(name, node);
  if (given.reduce((sum, node) => sum + measure(node), 0) > MAX_SIZE) throw new Unresolvable(TOO_LARGE);
  const result = call?.(given, place);
  if (result === undefined) throw new Unresolvable(`Davit does not evaluate ${name}() here`);
  if (typeof result === 'object' && result !== null && 'place' in result) return result;
  return { place, value: result };
}

/** These functions return their arguments, or parts of them, as they are. */
const CHOOSING = [
  ...['coalesce', 'concat', 'element', 'lookup', 'merge', 'nonsensitive', 'sensitive', 'tolist', 'tomap', 'toset'],
  ...['try', 'values'],
];

/** The id of an endpoint is unresolved, but which endpoint it belongs to is known. */
function failIfUnresolvedFor(name: string, node: SourceNode): void {
  const isChoosing = CHOOSING.includes(name);
  if (node.endpoint === undefined || !isChoosing) failIfUnresolved(node);
  const [inner] = isChoosing || ['keys', 'length'].includes(name) ? [] : listUnresolved(node);
  if (inner) failIfUnresolved(inner);
}

const text = renderScalar;

const FUNCTIONS: Partial<Record<string, Function>> = {
  lower: ([a]) => text(a).toLowerCase(),
  upper: ([a]) => text(a).toUpperCase(),
  title: ([a]) => text(a).replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase()),
  trimspace: ([a]) => text(a).trim(),
  tostring: ([a]) => text(a),
  tonumber: ([a]) => a && toNumber(a.value),
  tobool: ([a]) => a && toBoolean(a.value),
  tolist: ([a]) => a,
  toset: ([a]) => a,
  tomap: ([a]) => a,
  nonsensitive: ([a]) => a,
  sensitive: ([a]) => a,
  replace: ([a, from, to]) => {
    const isLarge = (text(a).length + 1) * text(to).length > MAX_SIZE;
    return isLarge || text(from).startsWith('/') ? undefined : text(a).replaceAll(text(from), () => text(to));
  },
  join: ([separator, list]) => {
    const texts = listOf(list)?.map(text) ?? [];
    const isLarge = texts.length * text(separator).length > MAX_SIZE;
    return isLarge || !listOf(list) ? undefined : texts.join(text(separator));
  },
  format: ([form, ...values]) => formatText(text(form), values),
  concat: (lists) => lists.flatMap((list) => listOf(list) ?? []),
  merge: (maps, place) =>
    makeMap(
      maps.flatMap((map) => [...(mapOf(map) ?? [])]),
      place,
    ),
  coalesce: (values) => values.find((value) => value.value !== null && value.value !== ''),
  try: (values) => values[0],
  lookup: ([map, key, otherwise]) => (map && lookUp(map, [text(key)])) ?? otherwise,
  element: ([list, index]) => listOf(list)?.at(Number(text(index)) % Math.max(1, listOf(list)?.length ?? 1)),
  length: ([a]) => mapOf(a)?.size ?? listOf(a)?.length ?? text(a).length,
  keys: ([map], place) => [...(mapOf(map)?.keys() ?? [])].sort().map((key) => fromPlain(key, place)),
  values: ([map]) => [...(mapOf(map)?.values() ?? [])],
};

/** `%s`, `%d`, `%v` and `%%`. Undefined for other verbs. */
function formatText(form: string, values: readonly SourceNode[]): string | undefined {
  const rest = [...values];
  const formatted = form.replaceAll(/%([sdv%])/g, (_all, verb: string) => (verb === '%' ? '\0' : text(rest.shift())));
  return formatted.includes('%') ? undefined : formatted.replaceAll('\0', '%');
}
