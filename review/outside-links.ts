import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { type Diagnostic, makeError } from '../schemas/diagnostic.ts';

/**
 * Which of a project's files are reached through a link that leads out of it. Nothing of them is shown: a pull request
 * could make the report quote any file of the machine that reviews it.
 */
export async function findOutsideLinks(root: string, files: readonly string[]): Promise<readonly Diagnostic[]> {
  const inside = (await realpath(root)) + sep;
  const found = await Promise.all(
    [...new Set(files)].map(async (file) => {
      const target = await realpath(join(root, file)).catch(() => undefined); // said by whoever reads it
      return target === undefined || target.startsWith(inside) ? [] : [outside(file)];
    }),
  );
  return found.flat();
}

function outside(file: string): Diagnostic {
  const message = `Cannot read ${file}: a link leads out of the project, expected a file in it`;
  return makeError('unreadable-file', { file, line: 1, column: 1 }, message, 'Put the file itself there');
}
