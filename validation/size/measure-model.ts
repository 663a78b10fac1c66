import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isModelFile } from '../../system/model-digest.ts';
import type { Model } from '../model/read-model.ts';

/** What the files of a model say about its memory. */
export interface ModelSize {
  /** Bytes of all files that loading may read: not its code, wheels and examples. */
  readonly bytes: number;
  /** The file that loading certainly reads as a whole into memory. Undefined: no file certainly. */
  readonly whole: { readonly path: string; readonly bytes: number } | undefined;
}

/** Files and folders at the top of a model that are not its weights. */
const NOT_LOADED = /^(?:code|wheels|metadata)\/|^(?:serving_)?input_example(?:_[^/]*)?\.json$/;

/** Adds up the files of a model. Reads none of them. */
export async function measureModel({ folder, flavors }: Pick<Model, 'folder' | 'flavors'>): Promise<ModelSize> {
  const files = new Map(await listSizes(folder, ''));
  const bytes = [...files].reduce((sum, [path, size]) => sum + (NOT_LOADED.test(path) ? 0 : size), 0);
  const path = findWholeFile(flavors);
  const size = path === undefined ? undefined : files.get(path);
  return { bytes, whole: path === undefined || size === undefined ? undefined : { path, bytes: size } };
}

/**
 * The file that MLflow's loader unpickles. An object takes at least the bytes of its pickle. Other formats may be mapped
 * into memory, or be smaller there than their text.
 */
function findWholeFile(flavors: Model['flavors']): string | undefined {
  const read = (flavor: string, field: string) => {
    const value = flavors[flavor]?.[field];
    return typeof value === 'string' && value !== '' ? value.replace(/\/$/, '') : undefined;
  };
  const loader = read('python_function', 'loader_module');
  const python = read('python_function', 'python_model');
  // A model of skops is a ZIP archive whose numbers may stay packed.
  if (loader === 'mlflow.sklearn') {
    const path = read('sklearn', 'pickled_model') ?? read('python_function', 'model_path');
    return path?.endsWith('.skops') ? undefined : path;
  }
  if (loader === 'mlflow.pyfunc.model') return python?.endsWith('.py') ? undefined : python;
  if (loader === 'mlflow.statsmodels') return read('python_function', 'data');
  if (loader === 'mlflow.pytorch') return `${read('python_function', 'data') ?? 'data'}/model.pth`;
  return undefined;
}

async function listSizes(folder: string, prefix: string): Promise<readonly (readonly [string, number])[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter((e) => isModelFile(e.name));
  const lists = entries.map(async (e): Promise<readonly (readonly [string, number])[]> => {
    const [path, name] = [join(folder, e.name), `${prefix}${e.name}`];
    return e.isDirectory() ? listSizes(path, `${name}/`) : [[name, (await stat(path)).size]];
  });
  return (await Promise.all(lists)).flat();
}
