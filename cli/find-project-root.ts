import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isProject } from '../schemas/read-project.ts';
import { type Options, UsageError } from './command.ts';

/** Marks of a project whose last endpoint file is gone. */
const OTHER_MARKS = ['.davit', 'Pulumi.yaml'];

/**
 * The project's folder: the one of `--project`, else the nearest folder from `cwd` upwards that has endpoint files or had
 * some.
 */
export function findProjectRoot(cwd: string, options: Options = {}): string {
  const { project, endpoints = 'endpoints' } = options;
  const below = String(endpoints);
  if (typeof project === 'string') return requireFolder(resolve(cwd, project), project);
  const marks = [hasEndpoint, isProject, hasOtherMark];
  const [found] = marks.flatMap((mark) => findUpwards(cwd, (folder) => mark(folder, below)) ?? []);
  if (found !== undefined) return found;
  throw new UsageError(
    `Cannot find a project in ${cwd} or above it: expected a folder with ${below.replace(/(?<!\/)\/+$/, '')}/, or --project FOLDER`,
  );
}

function requireFolder(folder: string, written: string): string {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return folder;
  throw new UsageError(`Cannot use "${written}" for --project: there is no such folder`);
}

function findUpwards(from: string, accepts: (folder: string) => boolean): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (accepts(folder)) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

/** Other programs have folders of that name, too, such as src/endpoints/ with code. */
function hasEndpoint(folder: string, endpoints: string): boolean {
  return isProject(folder, endpoints) && readdirSync(join(folder, endpoints)).some((file) => file.endsWith('.yaml'));
}

function hasOtherMark(folder: string): boolean {
  return OTHER_MARKS.some((mark) => existsSync(join(folder, mark)));
}
