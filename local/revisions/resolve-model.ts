import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Revision } from '../../schemas/deployment/revision.ts';
import { findModelFolder, locateModel } from '../../system/locate-model.ts';

/** Locates a revision's model: in the project, or in the cache that validation downloaded it to. */
export function resolveModel(root: string, model: Revision['model']): string {
  return findModelFolder(root, model);
}

/** Explains that the model's files are missing. Returns undefined if they exist. */
export async function describeMissingModel(root: string, revision: Revision): Promise<string | undefined> {
  const { model, endpoint } = revision;
  const found = await stat(join(resolveModel(root, model), 'MLmodel')).catch(() => undefined);
  if (found) return undefined;
  const { written } = locateModel(root, model);
  return `Cannot find the files of ${model.name} version ${model.version}: there is no MLmodel in ${written}, expected the locked model (npx davit validate ${endpoint} downloads it)`;
}
