import type { Comparison } from '../../schemas/report/comparison.ts';
import { parseYaml } from '../../schemas/yaml/parse-yaml.ts';
import { type MlmodelFile, mlmodelFile } from '../model/parse-mlmodel.ts';
import { readModelText } from '../model/read-model-text.ts';
import { renderJson } from './exact-json.ts';

const VALUE_CHARACTERS = 200;
const MAX_FIELDS = 50;
/** What MLmodel says about the origin of a model. */
const FIELDS = ['run_id', 'model_id', 'model_uuid', 'utc_time_created', 'mlflow_version', 'model_size_bytes'] as const;
const MAPS = ['metadata', 'metrics', 'params'] as const;

type Card = ReadonlyMap<string, string>;

/** Two versions. */
export interface Sides<T> {
  readonly old: T;
  readonly new: T;
}

/** Of the registry. They are shown even if both versions have the same. */
const ALWAYS = /^(?:registry|registered by|registered at|run|metrics\..*)$/s;

/**
 * What the registry and the MLmodel files of two versions say about their origin, field by field. What only MLmodel says,
 * and most of the rest, is left out where both versions have the same.
 */
export async function compareModelCards(
  folders: Sides<string>,
  registered: Sides<ReadonlyMap<string, string>>,
): Promise<Comparison['card']> {
  const [old, now] = await Promise.all([readCard(folders.old), readCard(folders.new)]);
  const before = new Map([...registered.old, ...[...old].filter(([field]) => !registered.old.has(field))]);
  const after = new Map([...registered.new, ...[...now].filter(([field]) => !registered.new.has(field))]);
  const fields = [...new Set([...registered.new.keys(), ...registered.old.keys(), ...before.keys(), ...after.keys()])];
  const isRegistered = (field: string) => registered.old.has(field) || registered.new.has(field);
  return fields
    .map((field) => ({ field, old: before.get(field) ?? null, new: after.get(field) ?? null }))
    .filter((row) => row.old !== row.new || (isRegistered(row.field) && ALWAYS.test(row.field)))
    .slice(0, MAX_FIELDS);
}

async function readCard(folder: string): Promise<Card> {
  const text = await readModelText(folder, 'MLmodel').catch(() => undefined);
  const { value } = parseYaml(text ?? '', 'MLmodel', mlmodelFile);
  return value ? listFields(value) : new Map();
}

function listFields(value: MlmodelFile): Card {
  const plain = FIELDS.flatMap((field) => renderField(field, value[field]));
  const inside = MAPS.flatMap((map) =>
    Object.entries(asMap(value[map])).flatMap(([key, v]) => renderField(`${map}.${key}`, v)),
  );
  const flavors = Object.keys(value.flavors).filter((flavor) => flavor !== 'python_function');
  return new Map([...plain, ...renderField('flavors', flavors.join(', ') || undefined), ...inside]);
}

function renderField(field: string, value: unknown): readonly (readonly [string, string])[] {
  if (value === undefined || value === null) return [];
  const text = typeof value === 'string' ? value.slice(0, VALUE_CHARACTERS) : renderJson(value, VALUE_CHARACTERS);
  return [[field.slice(0, VALUE_CHARACTERS), text]];
}

function asMap(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' ? { ...value } : {};
}
