import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isProject } from '../schemas/read-project.ts';
import { type Options, UsageError } from './command.ts';

/** There is no project here, which is no mistake for a command that can work without one. */
export class NoProjectError extends UsageError {
  override readonly needsHelp = false;
}

/** Marks of a project whose last endpoint file is gone. */
const OTHER_MARKS = ['.davit', 'Pulumi.yaml'];

/**
 * The project's folder: the one of `--project`, else the nearest folder from `cwd` upwards that has endpoint files or had
 * some.
 */
export function findProjectRoot(cwd: string, options: Options = {}): string {
  const { project, below } = readOptions(options);
  if (project !== undefined) return requireFolder(resolve(cwd, project), project);
  const marks = [hasEndpoint, isProject, hasOtherMark];
  const [found] = marks.flatMap((mark) => findUpwards(cwd, (folder) => mark(folder, below)) ?? []);
  if (found !== undefined) return found;
  throw new NoProjectError(
    `Cannot find a project in ${cwd} or above it: expected a folder with ${below.replace(/(?<!\/)\/+$/, '')}/ (npx davit init makes one), or --project FOLDER`,
  );
}

/**
 * The folder of a new project, or of the one to extend: that of `--project`, else the nearest folder upwards with
 * endpoint files, else `cwd`. A Pulumi.yaml above is of another program as long as there is no endpoint.
 */
export function findProjectToExtend(cwd: string, options: Options = {}): string {
  const { project, below } = readOptions(options);
  if (project !== undefined) return requireFolder(resolve(cwd, project), project);
  return findUpwards(cwd, (folder) => hasEndpoint(folder, below)) ?? cwd;
}

/** An empty value comes from an empty variable of a script, and would mean another folder than the user expects. */
function readOptions(options: Options): { readonly project: string | undefined; readonly below: string } {
  for (const name of ['project', 'endpoints'])
    if (typeof options[name] === 'string' && options[name].trim() === '')
      throw new UsageError(`Cannot use an empty --${name}: expected the path of a folder`);
  const { project, endpoints = 'endpoints' } = options;
  return { project: typeof project === 'string' ? project : undefined, below: String(endpoints) };
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
