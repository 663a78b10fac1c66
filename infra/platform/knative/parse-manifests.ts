import { parseAllDocuments } from 'yaml';
import type { PlainManifest } from '../plain-manifest.ts';
import { isRecord } from '../../../schemas/values/is-record.ts';

/** A file of manifests, and its name for messages. */
export interface ManifestFile {
  readonly source: string;
  readonly text: string;
}

/** YAML with any number of documents → objects. Lists are unpacked and empty documents are left out. */
export function parseManifests({ source, text }: ManifestFile): readonly PlainManifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw new SyntaxError(`Cannot read ${source}: ${error.message}`, { cause: error });
    const value: unknown = document.toJS();
    return value == null ? [] : unpackDocument(value, source);
  });
}

function unpackDocument(value: unknown, source: string): readonly PlainManifest[] {
  if (isList(value)) return value.items.flatMap((item) => unpackDocument(item, source));
  if (isManifest(value)) return [value];
  const seen = JSON.stringify(value).slice(0, 80);
  throw new TypeError(`Cannot use a document of ${source}: ${seen}, expected apiVersion, kind and metadata.name`);
}

function isList(value: unknown): value is { readonly items: readonly unknown[] } {
  return isRecord(value) && value['kind'] === 'List' && Array.isArray(value['items']);
}

function isManifest(value: unknown): value is PlainManifest {
  if (!isRecord(value) || typeof value['apiVersion'] !== 'string' || typeof value['kind'] !== 'string') return false;
  return isRecord(value['metadata']) && typeof value['metadata']['name'] === 'string';
}
