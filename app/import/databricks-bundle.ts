import { type Diagnostic, makeError, makeWarning } from '../../schemas/diagnostic.ts';
import { findReferences } from '../../schemas/values/variable-reference.ts';
import {
  addNamePrefix,
  addSharedPermissions,
  findNamePrefix,
  isNameOfModel,
  prefixName,
  reportNamePrefix,
} from './bundle-settings.ts';
import type { ForeignEndpoint, ForeignFile, ImportValues } from './foreign-endpoint.ts';
import {
  isScalar,
  isTooLarge,
  listOf,
  lookUp,
  makeMap,
  mapOf,
  MAX_SIZE,
  measure,
  type SourceMap,
  type SourceNode,
  textOf,
  TOO_LARGE,
} from './source-node.ts';

/** The files of one bundle: the first is databricks.yml if there is one. `own`: the files whose endpoints are wanted. */
export interface BundleFiles {
  readonly all: readonly SourceNode[];
  readonly own: readonly SourceNode[];
  /** About files of the bundle that cannot be read. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the endpoints of a bundle and fills in its variables. */
export function readBundle({ all, own, diagnostics }: BundleFiles, values: ImportValues): ForeignFile {
  const settings = mergeAll(all);
  const target = values.target === undefined ? undefined : mapOf(mapOf(settings.get('targets'))?.get(values.target));
  const scope: Scope = { settings, target, values, memory: new Map() };
  const prefix = findNamePrefix(settings, target);
  const filled = prefix && fillVariables(prefix, scope, 0);
  scope.prefix = filled;
  const shared = [settings, target].flatMap((root) => listOf(root?.get('permissions')) ?? []);
  const found = own.flatMap((root) => listEndpoints(mapOf(root)));
  const overrides = target ? listEndpoints(target) : [];
  const keys = [...new Set([...found, ...overrides].map(([key]) => key))];
  const endpoints = keys.map((key): ForeignEndpoint => {
    const parts = [...found, ...overrides].filter(([other]) => other === key).map(([, node]) => node);
    const body = parts.reduce((base, part) => mergeNodes(base, part));
    const complete = addSharedPermissions(body, shared);
    return { key, body: addNamePrefix(fillVariables(complete, scope, 0), filled) };
  });
  const unknown = filled?.unresolved === undefined ? [] : [reportNamePrefix(filled)];
  return { endpoints, diagnostics: [...diagnostics, ...reportTarget(settings, values.target), ...unknown] };
}

function listEndpoints(root: SourceMap | undefined): readonly (readonly [string, SourceNode])[] {
  return [...(mapOf(mapOf(root?.get('resources'))?.get('model_serving_endpoints')) ?? [])];
}

function reportTarget(settings: SourceMap, name: string | undefined): readonly Diagnostic[] {
  const targets = settings.get('targets');
  if (name === undefined) return reportMissingTarget(targets);
  if (mapOf(targets)?.has(name)) return [];
  const known = [...(mapOf(targets)?.keys() ?? [])].join(', ') || 'none';
  const place = targets?.place ?? [...settings.values()][0]?.place;
  return place
    ? [makeError('not-imported', place, `Cannot find the target "${name}" of the bundle: it has ${known}`)]
    : [];
}

/** Without a target, values that only targets have would be lost unnoticed. */
function reportMissingTarget(targets: SourceNode | undefined): readonly Diagnostic[] {
  const names = [...(mapOf(targets) ?? [])]
    .filter(([, target]) => mapOf(mapOf(target)?.get('variables')) ?? listEndpoints(mapOf(target)).length > 0)
    .map(([name, target]) => (mapOf(target)?.get('default')?.value === true ? `${name} (the default)` : name));
  if (!targets || names.length === 0) return [];
  const message = `Cannot import the values of the bundle's targets ${names.join(', ')}: no target is chosen`;
  return [makeWarning('not-imported', targets.place, message, 'Choose one with --target NAME')];
}

interface Scope {
  readonly settings: SourceMap;
  readonly target: SourceMap | undefined;
  readonly values: ImportValues;
  /** What the names of endpoints and registered models begin with. */
  prefix?: SourceNode | undefined;
  /** The references that were resolved before. Undefined: it is in progress. */
  readonly memory: Map<string, Resolved | undefined>;
}

/** A value of a variable, or why it has none. */
type Resolved = SourceNode | string;

const MAX_DEPTH = 100;

function fillVariables(node: SourceNode, scope: Scope, depth: number): SourceNode {
  const [map, list] = [mapOf(node), listOf(node)];
  if (map)
    return makeMap(
      [...map].map(([key, child]) => [key, fillVariables(child, scope, depth)]),
      node.place,
    );
  if (list) return { ...node, value: list.map((item) => fillVariables(item, scope, depth)) };
  return typeof node.value === 'string' ? fillText(node.value, node, scope, depth) : node;
}

function fillText(text: string, node: SourceNode, scope: Scope, depth: number): SourceNode {
  const references = findReferences(text).filter((r) => r.text.startsWith('${'));
  const [first] = references;
  if (!first) return node;
  const reasons: string[] = [];
  const filled = references.map((reference) => {
    const resolved = resolveReference(reference.text, scope, depth);
    if (typeof resolved !== 'string' && resolved.unresolved === undefined) return resolved;
    reasons.push(typeof resolved === 'string' ? resolved : (resolved.unresolved ?? ''));
    return undefined;
  });
  const [whole] = filled;
  if (first.text === text.trim() && whole) return { ...whole, place: node.place };
  if (filled.some((value) => value && !isScalar(value))) reasons.push('a list or a map is not a text');
  const parts = references.map(({ text: from }, i) => ({ from, to: filled[i] }));
  const size = filled.reduce((sum, node) => sum + (node ? measure(node) : 0), text.length);
  if (size > MAX_SIZE) return { place: node.place, value: text, unresolved: TOO_LARGE };
  const value = parts.reduce(
    (t, { from, to }) => (to && isScalar(to) ? t.replace(from, () => String(to.value)) : t),
    text,
  );
  const [reason] = reasons;
  return { place: node.place, value, ...(reason !== undefined && { unresolved: reason }) };
}

/** Resolves a reference once, however often it occurs. */
function resolveReference(reference: string, scope: Scope, depth: number): Resolved {
  const name = reference
    .replace(/^\$\{{1,2}/, '')
    .replace(/\}{1,2}$/, '')
    .trim();
  if (!/^[A-Za-z_][\w.[\]-]{0,200}$/.test(name)) return 'it is an expression';
  if (scope.memory.has(name)) return scope.memory.get(name) ?? 'it refers to itself';
  if (depth > MAX_DEPTH) return 'it is nested too deeply';
  scope.memory.set(name, undefined);
  const resolved = resolveName(name, scope, depth + 1);
  const result = typeof resolved === 'object' && isTooLarge(resolved) ? TOO_LARGE : resolved;
  scope.memory.set(name, result);
  return result;
}

function resolveName(name: string, scope: Scope, depth: number): Resolved {
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
    if (!found) return unknown;
    const value = fillVariables(found, scope, depth);
    return isNameOfModel(path) ? prefixName(value, scope.prefix) : value;
  }
  const base = readVariable(variable, scope);
  if (typeof base === 'string') return base;
  const found = lookUp(base, path.slice(path[2] === 'value' ? 3 : 2));
  return found ? fillVariables(found, scope, depth) : unknown;
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

/** Merges the files' maps as Databricks does: what comes later overrides, lists are joined, and null changes nothing. */
function mergeAll(roots: readonly SourceNode[]): SourceMap {
  const [first, ...others] = roots;
  if (!first) return new Map();
  return mapOf(others.reduce((base, part) => mergeNodes(base, part), first)) ?? new Map<string, SourceNode>();
}

function mergeNodes(base: SourceNode, part: SourceNode): SourceNode {
  if (part.value === null) return base;
  const [first, second] = [listOf(base), listOf(part)];
  if (first && second) return { place: base.place, value: [...first, ...second] };
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
