import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes a file atomically: a reader sees the old or the new text, even after a crash. `mode` as in chmod. */
export async function writeFileAtomically(file: string, text: string | Uint8Array, mode = 0o644): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const fresh = makeSiblingPath(file);
  try {
    await writeFile(fresh, text, { mode });
    await rename(fresh, file);
  } catch (e) {
    await rm(fresh, { force: true });
    throw e;
  }
}

/** Writes an existing file atomically. It keeps its mode. */
export async function rewriteFileAtomically(file: string, text: string): Promise<void> {
  await writeFileAtomically(file, text, (await stat(file)).mode & 0o777);
}

/** Makes a folder atomically: `fill` writes into a new folder beside it, which is then renamed to `folder`. */
export async function makeFolderAtomically(folder: string, fill: (fresh: string) => Promise<void>): Promise<void> {
  const fresh = makeSiblingPath(folder);
  await mkdir(fresh, { recursive: true });
  try {
    await fill(fresh);
    await rm(folder, { recursive: true, force: true });
    await rename(fresh, folder);
  } catch (e) {
    await rm(fresh, { recursive: true, force: true });
    throw e;
  }
}

function makeSiblingPath(path: string): string {
  return `${path}.${process.pid.toString()}-${randomBytes(4).toString('hex')}.new`;
}
