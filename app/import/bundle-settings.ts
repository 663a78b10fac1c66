import { type Diagnostic, makeWarning } from '../../schemas/diagnostic.ts';
import { listOf, makeMap, mapOf, type SourceMap, type SourceNode, textOf } from './source-node.ts';

/** What a bundle sets for all its resources: permissions, and what their names begin with. */

const LEVELS: Partial<Record<string, string>> = { CAN_RUN: 'CAN_QUERY' };
const PRINCIPALS = ['user_name', 'group_name', 'service_principal_name'];

/** Adds the permissions of the whole bundle, except for principals that the endpoint itself names. */
export function addSharedPermissions(body: SourceNode, shared: readonly SourceNode[]): SourceNode {
  const fields = mapOf(body);
  if (!fields || shared.length === 0) return body;
  const own = listOf(fields.get('permissions')) ?? [];
  const added = shared.filter((permission) => !own.some((other) => isSamePrincipal(permission, other)));
  const list: SourceNode = { place: body.place, value: [...own, ...added.map(renameLevel)] };
  return makeMap([...[...fields].filter(([name]) => name !== 'permissions'), ['permissions', list]], body.place);
}

function isSamePrincipal(a: SourceNode, b: SourceNode): boolean {
  return PRINCIPALS.some((kind) => {
    const name = mapOf(a)?.get(kind)?.value;
    return name !== undefined && name === mapOf(b)?.get(kind)?.value;
  });
}

/** The levels of a bundle are the same for all kinds of resources: CAN_VIEW, CAN_RUN and CAN_MANAGE. */
function renameLevel(permission: SourceNode): SourceNode {
  const fields = [...(mapOf(permission) ?? [])].map(
    ([name, node]) =>
      [name, name === 'level' ? { ...node, value: LEVELS[textOf(node) ?? ''] ?? node.value } : node] as const,
  );
  return makeMap(fields, permission.place);
}

/** `presets.name_prefix` of the target or the bundle. A target for development has the name of the user as its prefix. */
export function findNamePrefix(settings: SourceMap, target: SourceMap | undefined): SourceNode | undefined {
  const given = [target, settings].map((root) => mapOf(root?.get('presets'))?.get('name_prefix')).find((node) => node);
  if (given) return given.value === null || given.value === '' ? undefined : given;
  const mode = target?.get('mode');
  if (mode?.value !== 'development') return undefined;
  return { place: mode.place, value: '[dev ${workspace.current_user.short_name}] ' };
}

/** Puts the prefix before the name of an endpoint. A prefix that is not known is left out. */
export function addNamePrefix(body: SourceNode, prefix: SourceNode | undefined): SourceNode {
  const fields = mapOf(body);
  const name = fields?.get('name');
  if (!fields || !name || prefix?.unresolved !== undefined) return body;
  return makeMap([...fields, ['name', prefixName(name, prefix)]], body.place);
}

/** `[dev ann] ` before `iris` is `dev_ann_iris`, as Databricks makes it. */
export function prefixName(name: SourceNode, prefix: SourceNode | undefined): SourceNode {
  const text = textOf(prefix);
  if (text === undefined || typeof name.value !== 'string') return name;
  const clean = text.replaceAll('[', '').trim();
  const words = clean.toLowerCase().split(/[^\p{L}\p{Nd}]+/u);
  const value = `${words.filter((word) => word !== '').join('_')}${clean.endsWith(']') ? '_' : ''}${name.value}`;
  const unresolved = name.unresolved ?? prefix?.unresolved;
  return { ...name, value, ...(unresolved !== undefined && { unresolved }) };
}

/** Whether a reference is to the name of a registered model of the bundle, which gets the prefix too. */
export function isNameOfModel([kind, type, , field]: readonly string[]): boolean {
  return kind === 'resources' && type === 'registered_models' && field === 'name';
}

export function reportNamePrefix({ place, unresolved = '' }: SourceNode): Diagnostic {
  const message = `Cannot import the prefix of the names: ${unresolved}. It is left out`;
  return makeWarning(
    'not-imported',
    place,
    message,
    'Set presets.name_prefix of the target, or rename the file and `name`',
  );
}
