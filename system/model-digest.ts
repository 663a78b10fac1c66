import { createHash } from 'node:crypto';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { hashFile } from './hash-file.ts';
import { isBelow } from './is-below.ts';

/** Files that registry clients, Python or macOS write. They are not part of the model, so nothing may load them. */
const EXCLUDED_NAMES: ReadonlySet<string> = new Set(['registered_model_meta', '__pycache__', '.DS_Store']);

/** A model directory contains an entry that cannot have a digest: a link to a file outside the model, or a pipe. */
export class ModelLinkError extends Error {}

/** Whether a file or folder of this name is part of a model. */
export function isModelFile(name: string): boolean {
  return !EXCLUDED_NAMES.has(name);
}

/** Returns `sha256:<hex>` of the sorted relative paths and contents of a model's files. Throws a ModelLinkError. */
export async function digestModel(folder: string): Promise<string> {
  const root = await realpath(folder);
  const files = (await listFiles(root, root, '')).sort((a, b) => (a < b ? -1 : 1));
  const whole = createHash('sha256');
  for (const file of files) whole.update(`${file}\0${await hashFile(join(root, file))}\n`);
  return `sha256:${whole.digest('hex')}`;
}

/** The outermost files and folders below a model's folder that are not part of the model. */
export async function listIgnoredFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const lists = entries.map(async (e): Promise<readonly string[]> => {
    const path = join(folder, e.name);
    if (!isModelFile(e.name)) return [path];
    return e.isDirectory() ? listIgnoredFiles(path) : [];
  });
  return (await Promise.all(lists)).flat();
}

async function listFiles(root: string, folder: string, prefix: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const lists = entries
    .filter((e) => isModelFile(e.name) || !(e.isFile() || e.isDirectory()))
    .map(async (e) => {
      const path = join(folder, e.name);
      const name = `${prefix}${e.name}`;
      if (!isModelFile(e.name))
        throw new ModelLinkError(`${name} is neither a file nor a folder, and no model has a link of that name`);
      if (e.isDirectory()) return listFiles(root, path, `${name}/`);
      if (e.isSymbolicLink()) await checkLink(root, path, name);
      // A read from a pipe would block until a writer appears.
      else if (!e.isFile()) throw new ModelLinkError(`${name} is neither a file nor a folder`);
      return [name];
    });
  return (await Promise.all(lists)).flat();
}

/** Accepts only links to files inside the model, because the digest must cover everything that runs. */
async function checkLink(root: string, path: string, name: string): Promise<void> {
  const target = await realpath(path).catch(() => undefined);
  if (target === undefined) throw new ModelLinkError(`the link ${name} has no target`);
  if (!isBelow(target, root)) throw new ModelLinkError(`the link ${name} points outside the model's directory`);
  if (!target.slice(root.length).split(sep).every(isModelFile))
    throw new ModelLinkError(`the link ${name} points to a file that is not part of the model`);
  if (!(await stat(target)).isFile()) throw new ModelLinkError(`the link ${name} does not point to a file`);
}
