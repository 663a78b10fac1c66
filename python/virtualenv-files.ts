import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../system/atomic-files.ts';

/** How many files the packages of a virtualenv have, without byte code, and their bytes. */
interface FileTotal {
  readonly files: number;
  readonly bytes: number;
}

const TOTAL_FILE = 'davit-files.json';
const PACKAGES = 'lib';
const BYTE_CODE = '__pycache__';

/** Records the files of a virtualenv that has just been made. */
export async function recordFiles(folder: string): Promise<void> {
  await writeFileAtomically(join(folder, TOTAL_FILE), JSON.stringify(await sumFiles(join(folder, PACKAGES))));
}

/**
 * Whether files of a virtualenv were removed or cut after it was made: some programs that clean caches remove single files.
 * False where nothing was recorded. It takes a tenth of a second.
 */
export async function areFilesMissing(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, TOTAL_FILE), 'utf8').catch(() => undefined);
  if (text === undefined) return false;
  const made = JSON.parse(text) as FileTotal;
  const found = await sumFiles(join(folder, PACKAGES));
  return found.files < made.files || found.bytes < made.bytes; // a model may add files
}

async function sumFiles(folder: string): Promise<FileTotal> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const totals = await Promise.all(
    entries.map(async (entry): Promise<FileTotal> => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === BYTE_CODE ? NOTHING : sumFiles(path);
      const found = await stat(path).catch(() => undefined);
      return found ? { files: 1, bytes: found.size } : NOTHING;
    }),
  );
  return totals.reduce((sum, each) => ({ files: sum.files + each.files, bytes: sum.bytes + each.bytes }), NOTHING);
}

const NOTHING: FileTotal = { files: 0, bytes: 0 };
