import type { SourceLocation } from '../../../schemas/diagnostic.ts';
import { fromPlain, listOf, lookUp, makeMap, mapOf, renderScalar, type SourceNode } from '../source-node.ts';
import { Unresolvable } from './unresolvable.ts';

type Function = (given: readonly SourceNode[], place: SourceLocation) => SourceNode['value'] | SourceNode | undefined;

/** Calls one of Terraform's functions that names and texts of endpoints are made with. */
export function callFunction(name: string, given: readonly SourceNode[], place: SourceLocation): SourceNode {
  const result = FUNCTIONS[name]?.(given, place);
  if (result === undefined) throw new Unresolvable(`Davit does not evaluate ${name}() here`);
  if (typeof result === 'object' && result !== null && 'place' in result) return result;
  return { place, value: result };
}

const text = renderScalar;

const FUNCTIONS: Partial<Record<string, Function>> = {
  lower: ([a]) => text(a).toLowerCase(),
  upper: ([a]) => text(a).toUpperCase(),
  title: ([a]) => text(a).replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase()),
  trimspace: ([a]) => text(a).trim(),
  tostring: ([a]) => text(a),
  tonumber: ([a]) => Number(text(a)),
  tobool: ([a]) => text(a) === 'true',
  tolist: ([a]) => a,
  toset: ([a]) => a,
  tomap: ([a]) => a,
  nonsensitive: ([a]) => a,
  sensitive: ([a]) => a,
  replace: ([a, from, to]) => (text(from).startsWith('/') ? undefined : text(a).replaceAll(text(from), () => text(to))),
  join: ([separator, list]) => listOf(list)?.map(text).join(text(separator)),
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
