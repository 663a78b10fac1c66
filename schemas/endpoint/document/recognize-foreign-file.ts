import { type Document, isMap, isScalar, type YAMLMap } from 'yaml';
import { type Diagnostic, makeError } from '../../diagnostic.ts';
import type { LocateOffset } from '../../yaml/parse-yaml.ts';

/** Formats that are not endpoint files, with the fields at the top level that show it. */
const FORMATS = [
  { name: 'a Databricks bundle', fields: ['resources', 'bundle', 'targets', 'include', 'variables'] },
  { name: 'a Terraform plan or state', fields: ['planned_values', 'terraform_version', 'format_version'] },
  { name: 'a Terraform configuration', fields: ['resource', 'module', 'provider', 'terraform', 'locals'] },
  { name: 'a list of endpoints', fields: ['endpoints'] },
] as const;
/** Nothing of these can be a mistake in an endpoint file that has one of them. */
const ENDPOINT_FIELDS = ['name', 'config', 'davit', 'served_entities', 'served_models'];

/** Recognizes a file of another format as a whole, so that one diagnostic says what to do with it. */
export function recognizeForeignFile({ contents }: Document, at: LocateOffset): Diagnostic | undefined {
  if (!isMap(contents)) return undefined;
  const keys = listKeys(contents);
  if (ENDPOINT_FIELDS.some((field) => keys.has(field))) return undefined;
  const format = FORMATS.find(({ fields }) => fields.some((field) => keys.has(field)));
  const field = format?.fields.find((name) => keys.has(name));
  if (!format || field === undefined) return undefined;
  const message = `Cannot read this file as an endpoint: "${field}" is a field of ${format.name}, expected name and config`;
  const hint =
    'Move the file out of endpoints/ and run npx davit import FILE: it writes a file for each endpoint in it';
  return makeError('foreign-file', at(keys.get(field) ?? 0), message, hint);
}

function listKeys(map: YAMLMap): ReadonlyMap<string, number> {
  const keys = map.items.flatMap(({ key }) =>
    isScalar(key) ? [[String(key.value), key.range?.[0] ?? 0] as const] : [],
  );
  return new Map(keys);
}
