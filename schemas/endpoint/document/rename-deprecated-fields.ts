import { type Document, isMap, isScalar, isSeq, type Pair, type YAMLMap } from 'yaml';
import { type Diagnostic, makeWarning } from '../../diagnostic.ts';
import type { LocateOffset } from '../../yaml/parse-yaml.ts';

/** The fields of a served entity that Databricks renamed when served models became served entities. */
const ENTITY_FIELDS = { model_name: 'entity_name', model_version: 'entity_version' } as const;

interface Renamed {
  readonly from: string;
  readonly to: string;
  readonly offset: number;
}

/**
 * Renames served_models, model_name and model_version in the document to their new names, unless a new name is there
 * too. Locations stay. Returns one warning that lists the names.
 */
export function renameDeprecatedFields(document: Document, at: LocateOffset): readonly Diagnostic[] {
  return warn(renameDeprecatedNames(document), at);
}

/** Renames the deprecated names in the document and returns what it renamed. */
export function renameDeprecatedNames(document: Document): readonly Renamed[] {
  const config = isMap(document.contents) ? document.contents.get('config', true) : undefined;
  if (!isMap(config)) return [];
  const list = renameKey(config, 'served_models', 'served_entities');
  const entities = config.get('served_entities', true);
  const items = isSeq(entities) ? entities.items.filter((item) => isMap(item)) : [];
  const fields = items.flatMap((item) =>
    Object.entries(ENTITY_FIELDS).flatMap(([from, to]) => renameKey(item, from, to)),
  );
  return [...list, ...fields];
}

function renameKey(map: YAMLMap, from: string, to: string): readonly Renamed[] {
  const pair = findPair(map, from);
  if (!pair || findPair(map, to) || !isScalar(pair.key)) return [];
  const offset = pair.key.range?.[0] ?? 0;
  pair.key.value = to;
  return [{ from, to, offset }];
}

function findPair(map: YAMLMap, name: string): Pair | undefined {
  return map.items.find((pair) => isScalar(pair.key) && pair.key.value === name);
}

function warn(renamed: readonly Renamed[], at: LocateOffset): readonly Diagnostic[] {
  const first = renamed.reduce<Renamed | undefined>((a, b) => (a && a.offset <= b.offset ? a : b), undefined);
  if (!first) return [];
  const names = [...new Map(renamed.map((r) => [r.from, r.to]))];
  const message = `Found deprecated names: ${names.map(([from, to]) => `${from} is read as ${to}`).join(', ')}`;
  return [makeWarning('deprecated-field', at(first.offset), message, 'Write the new names; npx davit fmt does it')];
}
