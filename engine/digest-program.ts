import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, relative, resolve, sep } from 'node:path';
import { readText } from '../schemas/read-project.ts';
import { CODE_FOLDER, codePath } from '../system/code.ts';

/** The program's doors, for `pulumi` and for Davit; their imports are followed from here. */
const ENTRY_FILES = ['infra/index.ts', 'infra/serve-program.ts'];
/** The file that pins the packages that the program imports, and its place in the npm package, which may not have one. */
const PINS = { name: 'package-lock.json', packed: 'engine/packages.lock.json' } as const;
const IMPORT = /(?:\bfrom|\bimport\(|\bimport)\s*['"](\.[^'"]+)['"]/g;

let digest: Promise<string> | undefined;

/** SHA-256, in hex, of the Pulumi program: its own files, the files that they import, and package-lock.json. */
export function digestProgram(): Promise<string> {
  return (digest ??= makeDigest());
}

async function makeDigest(): Promise<string> {
  const hash = createHash('sha256');
  for (const [file, text] of await listProgram()) hash.update(`${file}\0${Buffer.byteLength(text)}\0${text}`);
  return hash.digest('hex');
}

/** The program's files, relative to Davit's folder and sorted, with their texts. */
export async function listProgram(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  const open = ENTRY_FILES.map((file) => codePath(file));
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (files.has(file)) continue;
    const text = await readFile(file, 'utf8');
    files.set(file, text);
    const from = dirname(file);
    open.push(...[...text.matchAll(IMPORT)].map(([, path]) => resolve(from, path ?? '')));
  }
  const pins = (await readText(codePath(PINS.name))) ?? (await readFile(codePath(PINS.packed), 'utf8'));
  files.set(codePath(PINS.name), pins);
  return new Map(
    [...files].map(([file, text]) => [relative(CODE_FOLDER, file).split(sep).join('/'), text] as const).sort(),
  );
}
