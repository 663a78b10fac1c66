import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
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
