import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { type Diagnostic, makeError } from '../schemas/diagnostic.ts';

/** Endpoint files and environments have a few kilobytes, a lock of a hundred packages with all their hashes a hundred. */
const MOST_BYTES = 4 << 20;

/**
 * Which of the files below a folder are not read: those reached through a link that leads out of it or into `.git`, and
 * those of more than 4 MiB. Nothing of them is shown: a pull request could make the report quote any file of the machine
 * that reviews it. What is not there, the folder too, is said by whoever reads it.
 */
export async function refuseFiles(root: string, files: readonly string[]): Promise<readonly Diagnostic[]> {
  const folder = await realpath(root).catch(() => undefined);
  if (folder === undefined) return [];
  const inside = folder + sep;
  const found = await Promise.all([...new Set(files)].map((file) => refuse(file, inside, join(root, file))));
  return found.flat();
}

async function refuse(file: string, inside: string, path: string): Promise<readonly Diagnostic[]> {
  const target = await realpath(path).catch(() => undefined);
  if (target === undefined) return [];
  if (!target.startsWith(inside) || target.startsWith(`${inside}.git${sep}`))
    return [makeRefusal(file, 'a link leads out of the project, expected a file in it', 'Put the file itself there')];
  const { size } = await stat(target);
  if (size <= MOST_BYTES) return [];
  return [makeRefusal(file, `it has ${size} bytes, expected at most ${MOST_BYTES}`)];
}

function makeRefusal(file: string, why: string, hint?: string): Diagnostic {
  return makeError('unreadable-file', { file, line: 1, column: 1 }, `Cannot read ${file}: ${why}`, hint);
}
