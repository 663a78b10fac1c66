import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

interface NamedFileOptions {
  readonly cwd: string;
  readonly root: () => string;
  /** The folder of endpoint files in the project. */
  readonly below?: string;
}

/** The file of an endpoint, because other verbs take its name. A path that exists stays as it is. */
export function findNamedFile(path: string, { cwd, root, below = 'endpoints' }: NamedFileOptions): string {
  if (!/^[\w-]+$/.test(path) || existsSync(resolve(cwd, path))) return path;
  try {
    return relative(cwd, join(root(), below, `${path}.yaml`));
  } catch {
    return path; // there is no project, so there are no names
  }
}
