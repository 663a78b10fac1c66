import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ModelReference } from '../schemas/endpoint/endpoint.ts';
import { contentHash } from '../schemas/values/names.ts';
import { cacheFolder } from './cache.ts';

export interface ModelLocation {
  /** Absolute path. The folder does not have to exist. */
  readonly folder: string;
  /** The URI that MLflow downloads into `folder`. Undefined: `folder` is the user's own directory. */
  readonly remote: string | undefined;
  /** The path or URI for display. */
  readonly written: string;
}

/** Locates a model on this machine: a directory below `root` or elsewhere, or the cached copy of a URI. */
export function locateModel(root: string, { name, version, uri }: ModelReference): ModelLocation {
  if (uri === undefined)
    return { folder: join(root, 'models', name, version), remote: undefined, written: join('models', name, version) };
  const path = uri.startsWith('file:') ? parseFileUri(uri) : undefined;
  if (path !== undefined) return { folder: resolve(root, path), remote: undefined, written: path };
  if (!/^[a-z][a-z0-9+.-]+:/i.test(uri)) return { folder: resolve(root, uri), remote: undefined, written: uri };
  return { folder: locateDownload(uri), remote: uri, written: uri };
}

/** Undefined: the URI names another machine, or no path of this one, so that it is refused like an unknown source. */
function parseFileUri(uri: string): string | undefined {
  if (!uri.startsWith('file://')) return uri.slice('file:'.length);
  try {
    return fileURLToPath(uri);
  } catch {
    return undefined;
  }
}

/**
 * Reads the model's input example as a client can send it. Returns undefined if the model has no example, is not on
 * this machine, or has an example that is not JSON, such as NaN. Only the model server can predict such an example
 * (`x-davit-example: 1`).
 */
export async function readInputExample({ folder }: Pick<ModelLocation, 'folder'>): Promise<string | undefined> {
  const text = await readFile(join(folder, 'serving_input_example.json'), 'utf8').catch(() => undefined);
  return text !== undefined && isJson(text) ? text : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The folder depends on the servers too, because one URI names different models on different servers. */
function locateDownload(uri: string): string {
  const tracking = process.env['MLFLOW_TRACKING_URI'] ?? '';
  const registry = process.env['MLFLOW_REGISTRY_URI'] ?? '';
  return cacheFolder('models', contentHash({ uri, tracking, registry }).slice(0, 20));
}
