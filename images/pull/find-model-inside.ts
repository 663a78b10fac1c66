import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageContentError } from './image-content-error.ts';

const MAX_DEPTH = 4;
const MAX_SHOWN = 5;

/** The outermost folder with MLmodel. Throws if there is none, or if there are several. */
export async function findModelInside(root: string): Promise<string> {
  let level = [''];
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    const models = await filterModels(root, level);
    const [only] = models;
    if (only !== undefined && models.length === 1) return join(root, only);
    if (models.length > 1) throw new ImageContentError(`it has several models: ${show(models)}`);
    level = (await Promise.all(level.map((folder) => listFolders(root, folder)))).flat();
  }
  const there = (await readdir(root)).sort();
  const what = there.length === 0 ? 'it has no file where a model would be' : `it has ${show(there)}`;
  throw new ImageContentError(`${what}, expected a folder with MLmodel`);
}

async function filterModels(root: string, folders: readonly string[]): Promise<readonly string[]> {
  const isModel = await Promise.all(
    folders.map((folder) => stat(join(root, folder, 'MLmodel')).then((s) => s.isFile(), () => false)), // prettier-ignore
  );
  return folders.filter((_, i) => isModel[i]);
}

async function listFolders(root: string, folder: string): Promise<readonly string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  return entries.filter((e) => e.isDirectory()).map((e) => join(folder, e.name));
}

function show(names: readonly string[]): string {
  const more = names.length > MAX_SHOWN ? ', …' : '';
  return `${names.slice(0, MAX_SHOWN).map((name) => JSON.stringify(name)).join(', ')}${more}`; // prettier-ignore
}
