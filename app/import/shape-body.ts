import type { ForeignEndpoint } from './foreign-endpoint.ts';
import { readOwn } from '../../schemas/values/read-own.ts';
import { isScalar, listOf, makeMap, mapOf, type SourceMap, type SourceNode } from './source-node.ts';

const ENTITY_FIELDS: Partial<Record<string, string>> = { model_name: 'entity_name', model_version: 'entity_version' };
const PERMISSIONS = ['permissions', 'access_control_list', 'access_control'];
const CONFIG = ['served_entities', 'served_models', 'traffic_config', 'auto_capture_config', 'config_version'];

/** Shapes a body as the endpoint file has it: new names, permissions in davit, nothing empty, texts where texts belong. */
export function shapeBody({ body }: ForeignEndpoint): SourceNode {
  const clean = dropEmpty(body);
  const fields = mapOf(clean);
  if (!fields) return clean;
  const permissions = PERMISSIONS.flatMap((name) => listOf(fields.get(name)) ?? []).map(shapePermission);
  const rest = [...fields].filter(([name]) => !PERMISSIONS.includes(name) && !CONFIG.includes(name));
  const loose = [...fields].filter(([name]) => CONFIG.includes(name));
  const config = makeMap(
    [...(mapOf(fields.get('config')) ?? []), ...loose],
    fields.get('config')?.place ?? clean.place,
  );
  const davit = makeMap([['permissions', { place: clean.place, value: permissions }]], clean.place);
  const shaped = rest.map(
    ([name, node]) => [name, name === 'config' ? shapeConfig(config) : shapeField(name, node)] as const,
  );
  return makeMap(
    [
      ...shaped,
      ...(fields.has('config') || loose.length === 0 ? [] : [['config', shapeConfig(config)] as const]),
      ...(permissions.length > 0 ? [['davit', davit] as const] : []),
    ],
    clean.place,
  );
}

/** Drops null, empty lists and empty maps, which exports are full of and which say nothing. */
function dropEmpty(node: SourceNode, name = ''): SourceNode {
  const [map, list] = [mapOf(node), listOf(node)];
  if (list) return { ...node, value: list.map((item) => dropEmpty(item)) };
  if (!map) return node;
  const isKept = (child: SourceNode) => !isEmpty(child) || (USER_KEYS.includes(name) && child.value === '');
  const kept = [...map].map(([key, child]) => [key, dropEmpty(child, key)] as const);
  return makeMap(
    kept.filter(([, child]) => isKept(child)),
    node.place,
  );
}

/** Maps whose keys users choose. An empty text in them is a value. */
const USER_KEYS = ['environment_vars', 'tags'];

function isEmpty(node: SourceNode): boolean {
  return node.value === null || mapOf(node)?.size === 0 || listOf(node)?.length === 0 || node.value === '';
}

function shapeField(name: string, node: SourceNode): SourceNode {
  const tags = name === 'tags' ? mapOf(node) : undefined;
  if (!tags) return node;
  const items = [...tags].map(([key, value]) =>
    makeMap(
      [
        ['key', { place: value.place, value: key }],
        ['value', toText(value)],
      ],
      value.place,
    ),
  );
  return { place: node.place, value: items };
}

function shapeConfig(config: SourceNode): SourceNode {
  const fields = mapOf(config) ?? new Map<string, SourceNode>();
  const entities = fields.get('served_entities') ?? fields.get('served_models');
  const list = listOf(entities) ?? (entities && mapOf(entities) ? [entities] : undefined);
  const others = [...fields].filter(([name]) => !['served_entities', 'served_models'].includes(name));
  return makeMap(
    [
      ...(entities
        ? [['served_entities', { ...entities, value: list?.map(shapeEntity) ?? entities.value }] as const]
        : []),
      ...others,
    ],
    config.place,
  );
}

function shapeEntity(entity: SourceNode): SourceNode {
  const fields = mapOf(entity);
  if (!fields) return entity;
  const renamed = [...fields].map(([name, node]) => [readOwn(ENTITY_FIELDS, name) ?? name, node] as const);
  return makeMap(
    renamed.map(([name, node]) => [name, shapeEntityField(name, node, fields)] as const),
    entity.place,
  );
}

/** As `databricks bundle` reads a text where it needs true or false. */
const BOOLEANS: Readonly<Record<string, boolean>> = {
  ...{ true: true, yes: true, y: true, on: true },
  ...{ false: false, no: false, n: false, off: false },
};

/** Terraform and old clients write numbers and booleans as texts, and the values of variables are texts too. */
function shapeEntityField(name: string, node: SourceNode, fields: SourceMap): SourceNode {
  const text = typeof node.value === 'string' ? node.value.trim().toLowerCase() : '';
  const boolean = readOwn(BOOLEANS, text);
  if (name === 'scale_to_zero_enabled' && boolean !== undefined) return { ...node, value: boolean };
  if (/_provisioned_concurrency$/.test(name) && /^\d{1,6}$/.test(text)) return { ...node, value: Number(text) };
  if (name === 'entity_version' || name === 'name') return toText(node);
  if (name !== 'environment_vars' || !fields.has(name)) return node;
  return makeMap(
    [...(mapOf(node) ?? [])].map(([key, value]) => [key, toText(value)] as const),
    node.place,
  );
}

function toText(node: SourceNode): SourceNode {
  return isScalar(node) && node.value !== null ? { ...node, value: String(node.value) } : node;
}

/** Bundles say `level`; the endpoint file says permission_level, as the API does. */
function shapePermission(permission: SourceNode): SourceNode {
  const fields = [...(mapOf(permission) ?? [])].map(
    ([name, node]) => [name === 'level' ? 'permission_level' : name, node] as const,
  );
  return makeMap(fields, permission.place);
}
