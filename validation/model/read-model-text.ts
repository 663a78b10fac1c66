import { readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isBelow } from '../../system/is-below.ts';
import { ModelLinkError } from '../../system/model-digest.ts';

/** MLmodel contains the signature: a model with thousands of columns has about a megabyte. */
const MAX_BYTES = 8 << 20;

/**
 * Reads a text file of a model. Returns undefined if it does not exist. Throws a ModelLinkError for a link that leads
 * out of the model, because messages quote what they cannot parse, and for anything that a read would not end.
 */
export async function readModelText(folder: string, name: string): Promise<string | undefined> {
  const [root, file] = await Promise.all([folder, join(folder, name)].map((p) => realpath(p).catch(() => undefined)));
  if (root === undefined || file === undefined) return undefined;
  if (!isBelow(file, root)) throw new ModelLinkError(`the link ${name} points outside the model's directory`);
  const found = await stat(file);
  if (found.isDirectory()) return undefined;
  if (!found.isFile()) throw new ModelLinkError(`${name} is neither a file nor a folder`);
  if (found.size > MAX_BYTES)
    throw new ModelLinkError(`${name} has ${found.size} bytes, and Davit reads at most ${MAX_BYTES}`);
  return readFile(file, 'utf8');
}
