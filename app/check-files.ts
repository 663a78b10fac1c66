import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { findNamedFile } from './find-named-file.ts';
import { checkEndpoints } from '../schemas/endpoint/check-endpoints.ts';
import { type Diagnostic, makeError, makeWarning, sortDiagnostics } from '../schemas/diagnostic.ts';
import { parseEnvironment } from '../schemas/environment/environment.ts';
import { parseEndpoint } from '../schemas/endpoint/parse-endpoint.ts';
import { isProject, readUserFile, makeUnreadableFile } from '../schemas/read-project.ts';

export interface CheckedFiles {
  /** The endpoint files. */
  readonly files: readonly { readonly file: string; readonly endpoint: string | null }[];
  /** How many environment files were checked. */
  readonly environments: number;
  readonly diagnostics: readonly Diagnostic[];
}

export interface CheckOptions {
  readonly cwd: string;
  readonly root: () => string;
  /** The folder of endpoint files in the project. */
  readonly endpoints?: string;
}

/** Checks files and folders, or the whole project if none is given. Paths are relative to `cwd`. */
export async function checkFiles(
  paths: readonly string[],
  { cwd, root, endpoints: below = 'endpoints' }: CheckOptions,
): Promise<CheckedFiles> {
  const wanted =
    paths.length > 0 ? paths.map((p) => findNamedFile(p, { cwd, root, below })) : [relative(cwd, join(root(), below))];
  const listed = await Promise.all(wanted.map((path) => listYaml(show(resolve(cwd, path), path, cwd))));
  const files = uniqueFiles(listed.flatMap((l) => l.files));
  const endpoints = await Promise.all(files.filter((f) => !isEnvironment(f)).map(checkFile));
  const named = paths.length > 0 ? files.filter(isEnvironment) : await listEnvironmentFiles(root(), cwd);
  const environments = (await Promise.all(named.map(checkEnvironment))).flat();
  const none = listed.filter((l) => l.files.length === 0 && l.diagnostics.length === 0);
  const diagnostics = sortDiagnostics([
    ...listed.flatMap((l) => l.diagnostics),
    ...none.map(({ folder }) => noFiles(folder, paths.length > 0)),
    ...endpoints.flatMap((e) => e.diagnostics),
    ...checkEndpoints(endpoints),
    ...environments,
  ]);
  const shown = endpoints.map(({ file, endpoint }) => ({ file, endpoint: endpoint?.name ?? null }));
  return { files: shown, environments: named.length, diagnostics };
}

/** A file or folder, and the path as a user would type it. */
interface DisplayPath {
  readonly path: string;
  readonly file: string;
}

/**
 * A path for display, relative to the user's folder. A path that was typed as absolute and is elsewhere stays as it is.
 */
function show(path: string, typed: string, cwd: string): DisplayPath {
  const file = relative(cwd, path) || '.';
  return { path, file: file.startsWith('..') && isAbsolute(typed) ? path : file };
}

function uniqueFiles(files: readonly DisplayPath[]): readonly DisplayPath[] {
  return [...new Map(files.map((f) => [f.path, f])).values()];
}

/** No file in a named folder is an error. A project may have no endpoint (any more), so that is only a warning. */
function noFiles(folder: string, given: boolean): Diagnostic {
  const make = given ? makeError : makeWarning;
  const message = `Cannot find an endpoint: there is no YAML file in ${folder}/ itself`;
  return make(
    'unknown-endpoint',
    { file: folder, line: 1, column: 1 },
    message,
    'Folders below it are not looked into',
  );
}

async function checkFile({ path, file }: DisplayPath) {
  const { value, diagnostics } = await readUserFile(path, file);
  if (value !== undefined) return { file, ...parseEndpoint(value, file) };
  return { file, endpoint: undefined, name: undefined, diagnostics, locate: () => ({ file, line: 1, column: 1 }) };
}

/** By its folder, as for every other verb. */
function isEnvironment({ path }: DisplayPath): boolean {
  return basename(dirname(path)) === 'environments';
}

async function listEnvironmentFiles(root: string, cwd: string): Promise<readonly DisplayPath[]> {
  return (await listYaml(show(join(root, 'environments'), '', cwd))).files;
}

async function checkEnvironment({ path, file }: DisplayPath): Promise<readonly Diagnostic[]> {
  const { value, diagnostics } = await readUserFile(path, file);
  return value === undefined ? diagnostics : parseEnvironment(value, file).diagnostics;
}

interface Listed {
  /** As the user would type it. */
  readonly folder: string;
  readonly files: readonly DisplayPath[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Lists a file itself, a folder's own YAML files or, for a project's folder, the files of its endpoints/. */
async function listYaml(shown: DisplayPath): Promise<Listed> {
  const { path, file: folder } = shown;
  try {
    if (!(await stat(path)).isDirectory()) return { folder, files: [shown], diagnostics: [] };
    const names = await readdir(path);
    if (isProject(path)) return await listYaml(below(shown, 'endpoints'));
    const yaml = names.filter((n) => /\.ya?ml$/i.test(n)).sort();
    return { folder, files: yaml.map((n) => below(shown, n)), diagnostics: [] };
  } catch (e) {
    return { folder, files: [], diagnostics: [makeUnreadableFile(folder, e)] };
  }
}

function below({ path, file }: DisplayPath, name: string): DisplayPath {
  return { path: join(path, name), file: join(file, name) };
}
