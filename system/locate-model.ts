import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ModelReference } from '../schemas/endpoint.ts';
import { contentHash } from '../schemas/names.ts';
import { cacheFolder } from './cache.ts';

export interface ModelPlace {
  /** Absolute; whether it is there is another question. */
  readonly folder: string;
  /** The URI that MLflow fetches it by, into `folder`; undefined: it is a directory of the user's. */
  readonly remote: string | undefined;
  /** The path or URI for a person. */
  readonly written: string;
}

/** Where a model is on this machine: a directory below `root` or elsewhere, or the cache's copy of a URI. */
export function locateModel(root: string, { name, version, uri }: ModelReference): ModelPlace {
  if (uri === undefined)
    return { folder: join(root, 'models', name, version), remote: undefined, written: join('models', name, version) };
  if (uri.startsWith('file:')) {
    const path = uri.startsWith('file://') ? fileURLToPath(uri) : uri.slice('file:'.length);
    return { folder: resolve(root, path), remote: undefined, written: path };
  }
  if (!/^[a-z][a-z0-9+.-]+:/i.test(uri)) return { folder: resolve(root, uri), remote: undefined, written: uri };
  return { folder: downloadFolder(uri), remote: uri, written: uri };
}

/** The model's own example as MLflow logs it, ready to be sent; undefined: it has none, or is not on this machine. */
export function readInputExample({ folder }: Pick<ModelPlace, 'folder'>): Promise<string | undefined> {
  return readFile(join(folder, 'serving_input_example.json'), 'utf8').catch(() => undefined);
}

/** The same URI means another model on another server. */
function downloadFolder(uri: string): string {
  const tracking = process.env['MLFLOW_TRACKING_URI'] ?? '';
  const registry = process.env['MLFLOW_REGISTRY_URI'] ?? '';
  return cacheFolder('models', contentHash({ uri, tracking, registry }).slice(0, 20));
}
