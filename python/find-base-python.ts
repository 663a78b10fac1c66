import { access, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The installation of Python that a virtualenv is based on. */
export interface BasePython {
  readonly executable: string;
  /** Everything that its programs read. */
  readonly folders: readonly string[];
}

/** Not the whole prefix: a Python that somebody installed with the prefix `~` or `~/.local` is beside their secrets. */
const FOLDERS = ['bin', 'lib', 'lib64', 'include', 'ssl', 'share/zoneinfo'];

export async function findBasePython(python: string): Promise<BasePython> {
  const executable = await realpath(python);
  const prefix = dirname(dirname(executable));
  const folders = FOLDERS.map((name) => join(prefix, name));
  const found = await Promise.all(
    folders.map((folder) =>
      access(folder).then(
        () => true,
        () => false,
      ),
    ),
  );
  return { executable, folders: folders.filter((_, i) => found[i]) };
}
