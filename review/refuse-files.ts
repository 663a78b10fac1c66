import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { type Diagnostic, makeError } from '../schemas/diagnostic.ts';

/**
 * Endpoint files and environments have a few kilobytes; a lock of a hundred packages with all hashes has about a
 * hundred.
 */
const MAX_BYTES = 4 << 20;

/**
 * Finds the files below a folder that must not be read: those reached through a link that leads out of the folder, into
 * `.git` or to itself, and those above 4 MiB. Their content is never shown, because a pull request could otherwise make the
 * report quote any file of the reviewing machine. Missing files are reported by their readers.
 */
export async function refuseFiles(root: string, files: readonly string[]): Promise<readonly Diagnostic[]> {
  const folder = await realpath(root).catch(() => undefined);
  if (folder === undefined) return [];
  const inside = folder + sep;
  const found = await Promise.all([...new Set(files)].map((file) => refuse(file, inside, join(root, file))));
  return found.flat();
}

/** In place of the absolute path of a link that leads to itself. */
const LOOP = 'loop';

async function refuse(file: string, inside: string, path: string): Promise<readonly Diagnostic[]> {
  const target = await realpath(path).catch((e: unknown) =>
    (e as NodeJS.ErrnoException).code === 'ELOOP' ? LOOP : undefined,
  );
  if (target === undefined) return [];
  if (target === LOOP)
    return [makeRefusal(file, 'its symbolic links form a loop, expected a file', 'Put the file itself there')];
  if (!target.startsWith(inside) || target.startsWith(`${inside}.git${sep}`))
    return [
      makeRefusal(
        file,
        'a symbolic link leads outside the project, expected a file inside it',
        'Put the file itself there',
      ),
    ];
  const { size } = await stat(target);
  if (size <= MAX_BYTES) return [];
  return [makeRefusal(file, `it has ${size} bytes, expected at most ${MAX_BYTES}`)];
}

function makeRefusal(file: string, why: string, hint?: string): Diagnostic {
  return makeError('unreadable-file', { file, line: 1, column: 1 }, `Cannot read ${file}: ${why}`, hint);
}
