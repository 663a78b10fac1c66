import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ModelReference } from '../schemas/endpoint/endpoint.ts';
import { cacheFolder } from './cache.ts';

/** Where an endpoint file says that a model is: a directory of this machine, or what MLflow downloads. */
export type ModelLocation = LocalLocation | RemoteLocation;

interface LocalLocation {
  /** Absolute path. The folder does not have to exist; a model without `model_uri` is then in a registry. */
  readonly folder: string;
  readonly remote: undefined;
  /** The path for display. */
  readonly written: string;
}

interface RemoteLocation {
  readonly folder: undefined;
  readonly remote: string;
  /** The URI for display. */
  readonly written: string;
}

/** Locates a model by its reference alone: a directory below `root` or elsewhere, or a URI. */
export function locateModel(root: string, { name, version, uri }: ModelReference): ModelLocation {
  if (uri === undefined)
    return { folder: join(root, 'models', name, version), remote: undefined, written: join('models', name, version) };
  const path = uri.startsWith('file:') ? parseFileUri(uri) : undefined;
  if (path !== undefined) return { folder: resolve(root, path), remote: undefined, written: path };
  if (!/^[a-z][a-z0-9+.-]+:/i.test(uri)) return { folder: resolve(root, uri), remote: undefined, written: uri };
  return { folder: undefined, remote: uri, written: uri };
}

/** The folder with the files of a locked model: the directory of the project, else the downloaded copy. */
export function findModelFolder(root: string, model: ModelReference & { readonly digest: string }): string {
  const { folder } = locateModel(root, model);
  const isLocal = folder !== undefined && (model.uri !== undefined || existsSync(folder));
  return isLocal ? folder : locateDownload(model.digest);
}

/** The folder of a downloaded model. It depends on the content alone, so equal models are kept once. */
export function locateDownload(digest: string): string {
  return cacheFolder('models', digest.replace('sha256:', '').slice(0, 20));
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
export async function readInputExample(folder: string): Promise<string | undefined> {
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
