import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contentHash } from '../schemas/names.ts';
import type { Revision } from '../schemas/revision.ts';
import { cacheFolder } from '../system/cache.ts';

/** Where a revision's model is on this machine: in the project, or where validation has downloaded it to. */
export function resolveModel(root: string, { name, version, uri }: Revision['model']): string {
  if (uri === undefined) return join(root, 'models', name, version);
  if (uri.startsWith('file:')) return resolve(root, uri.startsWith('file://') ? fileURLToPath(uri) : uri.slice(5));
  return /^[a-z][a-z0-9+.-]+:/i.test(uri) ? downloadedModel(uri) : resolve(root, uri);
}

/** Whether it is there, and what to do when it is not. */
export async function describeMissingModel(root: string, revision: Revision): Promise<string | undefined> {
  const { model, endpoint } = revision;
  const folder = resolveModel(root, model);
  const found = await stat(join(folder, 'MLmodel')).catch(() => undefined);
  if (found) return undefined;
  const place = model.uri === undefined ? `models/${model.name}/${model.version}` : model.uri;
  return `Cannot find the files of ${model.name} version ${model.version}: there is no MLmodel in ${place}, expected what was locked (npx davit validate ${endpoint} fetches it)`;
}

/** The same key as validation's: a URI means another model on another server. */
function downloadedModel(uri: string): string {
  const tracking = process.env['MLFLOW_TRACKING_URI'] ?? '';
  const registry = process.env['MLFLOW_REGISTRY_URI'] ?? '';
  return cacheFolder('models', contentHash({ uri, tracking, registry }).slice(0, 20));
}
