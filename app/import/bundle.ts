import { makeError, type Diagnostic } from '../../schemas/diagnostic.ts';
import { findReferences } from '../../schemas/values/variable-reference.ts';
import type { ForeignEndpoint, ForeignFile, ImportValues } from './foreign-endpoint.ts';
import { isScalar, listOf, lookUp, makeMap, mapOf, type SourceMap, type SourceNode, textOf } from './source-node.ts';

/** The files of one bundle: the first is databricks.yml if there is one. `own`: the files whose endpoints are wanted. */
export interface BundleFiles {
  readonly all: readonly SourceNode[];
  readonly own: readonly SourceNode[];
}

/** Reads the endpoints of a bundle and fills in its variables. */
export function readBundle({ all, own }: BundleFiles, values: ImportValues): ForeignFile {
  const settings = mergeAll(all);
  const target = values.target === undefined ? undefined : mapOf(mapOf(settings.get('targets'))?.get(values.target));
  const scope = { settings, target, values };
  const found = own.flatMap((root) => listEndpoints(mapOf(root)));
  const overrides = target ? listEndpoints(target) : [];
  const keys = [...new Set([...found, ...overrides].map(([key]) => key))];
  const endpoints = keys.map((key): ForeignEndpoint => {
    const parts = [...found, ...overrides].filter(([other]) => other === key).map(([, node]) => node);
    const body = parts.reduce((base, part) => mergeNodes(base, part));
    return { key, body: fillVariables(body, scope, []) };
  });
  return { endpoints, diagnostics: reportTarget(settings, values.target) };
}

function listEndpoints(root: SourceMap | undefined): readonly (readonly [string, SourceNode])[] {
  return [...(mapOf(mapOf(root?.get('resources'))?.get('model_serving_endpoints')) ?? [])];
}

function reportTarget(settings: SourceMap, name: string | undefined): readonly Diagnostic[] {
  const targets = settings.get('targets');
  if (name === undefined || mapOf(targets)?.has(name)) return [];
  const known = [...(mapOf(targets)?.keys() ?? [])].join(', ') || 'none';
  const place = targets?.place ?? [...settings.values()][0]?.place;
  return place
    ? [makeError('not-imported', place, `Cannot find the target "${name}" of the bundle: it has ${known}`)]
    : [];
}

interface Scope {
  readonly settings: SourceMap;
  readonly target: SourceMap | undefined;
  readonly values: ImportValues;
}

/** A value of a variable, or why it has none. */
type Resolved = SourceNode | string;

const MAX_DEPTH = 20;

function fillVariables(node: SourceNode, scope: Scope, inside: readonly string[]): SourceNode {
  const [map, list] = [mapOf(node), listOf(node)];
  if (map)
    return makeMap(
      [...map].map(([key, child]) => [key, fillVariables(child, scope, inside)]),
      node.place,
    );
  if (list) return { ...node, value: list.map((item) => fillVariables(item, scope, inside)) };
  return typeof node.value === 'string' ? fillText(node.value, node, scope, inside) : node;
}

function fillText(text: string, node: SourceNode, scope: Scope, inside: readonly string[]): SourceNode {
  const references = findReferences(text).filter((r) => r.text.startsWith('${'));
  const [first] = references;
  if (!first) return node;
  const reasons: string[] = [];
  const filled = references.map((reference) => {
    const resolved = resolveReference(reference.text, scope, inside);
    if (typeof resolved !== 'string' && resolved.unresolved === undefined) return resolved;
    reasons.push(typeof resolved === 'string' ? resolved : (resolved.unresolved ?? ''));
    return undefined;
  });
  const [whole] = filled;
  if (first.text === text.trim() && whole) return { ...whole, place: node.place };
  if (filled.some((value) => value && !isScalar(value))) reasons.push('a list or a map is not a text');
  const parts = references.map(({ text: from }, i) => ({ from, to: filled[i] }));
  const value = parts.reduce(
    (t, { from, to }) => (to && isScalar(to) ? t.replace(from, () => String(to.value)) : t),
    text,
  );
  const [reason] = reasons;
  return { place: node.place, value, ...(reason !== undefined && { unresolved: reason }) };
}

function resolveReference(reference: string, scope: Scope, inside: readonly string[]): Resolved {
  const name = reference
    .replace(/^\$\{{1,2}/, '')
    .replace(/\}{1,2}$/, '')
    .trim();
  if (!/^[A-Za-z_][\w.[\]-]{0,200}$/.test(name)) return 'it is an expression';
  if (inside.includes(name) || inside.length > MAX_DEPTH) return 'it refers to itself';
  const path = name.split(/[.[\]]/).filter((step) => step !== '');
  const [kind = '', variable = ''] = path;
  if (name === 'bundle.target' || name === 'bundle.environment')
    return scope.values.target === undefined
      ? 'it depends on the target; give --target NAME'
      : { place: ORIGIN, value: scope.values.target };
  const unknown = 'only Databricks knows its value';
  if (!['var', 'variables'].includes(kind)) {
    const found = [scope.target, scope.settings]
      .map((root) => root && lookUp(makeMap(root, ORIGIN), path))
      .find((n) => n);
    return found ? fillVariables(found, scope, [...inside, name]) : unknown;
  }
  const base = readVariable(variable, scope);
  if (typeof base === 'string') return base;
  const found = lookUp(base, path.slice(path[2] === 'value' ? 3 : 2));
  if (!found) return unknown;
  return fillVariables(found, scope, [...inside, name]);
}

const ORIGIN = { file: '', line: 1, column: 1 };

function readVariable(name: string, { settings, target, values }: Scope): Resolved {
  const given = values.variables.get(name);
  if (given !== undefined) return { place: ORIGIN, value: given };
  const declared = mapOf(settings.get('variables'))?.get(name);
  const ofTarget = mapOf(target?.get('variables'))?.get(name);
  const value = readDefault(ofTarget) ?? readDefault(mapOf(declared)?.has('default') ? declared : undefined);
  if (value) return value;
  if (!declared) return `the bundle declares no variable "${name}"; give --var ${name}=VALUE`;
  const targets = [...(mapOf(settings.get('targets')) ?? [])]
    .filter(([, t]) => mapOf(mapOf(t)?.get('variables'))?.has(name))
    .map(([t]) => t);
  const how = targets.length > 0 ? `--target ${targets.join(' or ')}, or --var` : '--var';
  return `it has no default; give ${how} ${name}=VALUE`;
}

/** A variable in a target is a value, or a map with `default` or `value`. */
function readDefault(node: SourceNode | undefined): SourceNode | undefined {
  const map = mapOf(node);
  return map ? (map.get('default') ?? map.get('value')) : node;
}

/** Merges the files' maps; what comes later overrides. */
function mergeAll(roots: readonly SourceNode[]): SourceMap {
  const [first, ...others] = roots;
  if (!first) return new Map();
  return mapOf(others.reduce((base, part) => mergeNodes(base, part), first)) ?? new Map<string, SourceNode>();
}

function mergeNodes(base: SourceNode, part: SourceNode): SourceNode {
  const [a, b] = [mapOf(base), mapOf(part)];
  if (!a || !b) return part;
  const merged = new Map(a);
  for (const [key, child] of b) {
    const own = merged.get(key);
    merged.set(key, own ? mergeNodes(own, child) : child);
  }
  return { place: base.place, value: merged };
}

/** The patterns of files that a bundle includes. */
export function listIncludes(root: SourceNode): readonly string[] {
  return (listOf(mapOf(root)?.get('include')) ?? []).flatMap((item) => textOf(item) ?? []);
}
