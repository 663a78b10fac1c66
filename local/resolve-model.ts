import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Revision } from '../schemas/revision.ts';
import { locateModel } from '../system/locate-model.ts';

/** Where a revision's model is on this machine: in the project, or where validation has downloaded it to. */
export function resolveModel(root: string, model: Revision['model']): string {
  return locateModel(root, model).folder;
}

/** Whether it is there, and what to do when it is not. */
export async function describeMissingModel(root: string, revision: Revision): Promise<string | undefined> {
  const { model, endpoint } = revision;
  const { folder, written } = locateModel(root, model);
  const found = await stat(join(folder, 'MLmodel')).catch(() => undefined);
  if (found) return undefined;
  return `Cannot find the files of ${model.name} version ${model.version}: there is no MLmodel in ${written}, expected what was locked (npx davit validate ${endpoint} fetches it)`;
}
