// Loads the schemas only when a file is parsed, because they take 0.1 s and many programs only find or read files.
import { statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Diagnostic, makeError } from './diagnostic.ts';
import type { Endpoint } from './endpoint/endpoint.ts';
import type { Environment } from './environment/environment.ts';
import type { Lock } from './lock/lock.ts';
import { readOwn } from './values/read-own.ts';
import { readErrorMessage } from './values/read-error-message.ts';

/** The value of a file, or the diagnostics that explain its absence. */
export interface ReadResult<T> {
  readonly value: T | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** The folders of a project. */
export interface ProjectFolders {
  /** Absolute path of the project's folder, which contains the folder of endpoint files. */
  readonly root: string;
  /** The folder of endpoint files and locks, relative to `root`. Default: `endpoints`. */
  readonly endpoints: string;
  /**
   * Absolute path that replaces `root` for endpoint files, locks and models: a pull request's checkout, read as data.
   */
  readonly from?: string | undefined;
  /** Absolute path that replaces `root` for environment files. */
  readonly environments?: string | undefined;
  /** Absolute path of a folder with locks that a review computed. They override the locks beside the endpoint files. */
  readonly locks?: string | undefined;
}

/** Whether a folder is a project: it has a folder of endpoint files. */
export function isProject(folder: string, endpoints = 'endpoints'): boolean {
  return statSync(join(folder, endpoints), { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Reads `endpoints/NAME.yaml`. */
export async function readEndpoint(place: ProjectFolders, name: string): Promise<ReadResult<Endpoint>> {
  const file = `${place.endpoints}/${name}.yaml`;
  const text = await readText(join(declarationsRoot(place), file));
  if (text === undefined)
    return missing(
      'unknown-endpoint',
      file,
      `Cannot find the endpoint "${name}": there is no file ${file}`,
      await renderNamesHint(place),
    );
  const { parseEndpoint } = await import('./endpoint/parse-endpoint.ts');
  const { endpoint, diagnostics } = parseEndpoint(text, file);
  return { value: endpoint, diagnostics };
}

/** The environments that a project has without a file, as the text of that file. */
const BUILT_IN_ENVIRONMENTS: Readonly<Partial<Record<string, string>>> = {
  local: 'name: local\ntarget: local\n',
};

/** Reads `environments/NAME.yaml`. Without a file, `local` is built in. */
export async function readEnvironment(
  { root, environments = root }: ProjectFolders,
  name: string,
): Promise<ReadResult<Environment>> {
  const file = `environments/${name}.yaml`;
  const text = (await readText(join(environments, file))) ?? readOwn(BUILT_IN_ENVIRONMENTS, name);
  if (text === undefined)
    return missing(
      'unknown-environment',
      file,
      `Cannot find the environment "${name}": there is no file ${file}`,
      `Create the file with name: ${name} and target: local`,
    );
  const { parseEnvironment } = await import('./environment/environment.ts');
  const { environment, diagnostics } = parseEnvironment(text, file);
  return { value: environment, diagnostics };
}

/** Reads `endpoints/NAME.lock`. */
export async function readLock(place: ProjectFolders, endpoint: string): Promise<ReadResult<Lock>> {
  const file = lockFile(place, endpoint);
  const text = await readLockText(place, endpoint);
  if (text === undefined)
    return missing(
      'lock-missing',
      file,
      `Cannot deploy "${endpoint}": it has no lock`,
      `Run npx davit lock ${endpoint}`,
    );
  const { parseLock } = await import('./lock/lock.ts');
  const { lock, diagnostics } = parseLock(text, file);
  return { value: lock, diagnostics };
}

/** The text of the lock that a review computed, else of the lock beside the endpoint file, else undefined. */
export async function readLockText(place: ProjectFolders, endpoint: string): Promise<string | undefined> {
  const computed = place.locks === undefined ? undefined : await readText(join(place.locks, `${endpoint}.lock`));
  return computed ?? readText(join(declarationsRoot(place), lockFile(place, endpoint)));
}

/** The folder that contains the endpoints folder. Paths in endpoint files are relative to it. */
export function declarationsRoot({ root, from }: ProjectFolders): string {
  return from ?? root;
}

/** Path of an endpoint's lock, relative to the project root. */
export function lockFile({ endpoints }: ProjectFolders, endpoint: string): string {
  return `${endpoints}/${endpoint}.lock`;
}

/** Lists the names of a project's endpoints, sorted. */
export function listEndpoints(place: ProjectFolders): Promise<readonly string[]> {
  return listNames(join(declarationsRoot(place), place.endpoints));
}

/** Lists the names of the files in a project's environments/, sorted. */
export function listEnvironments({
  root,
  environments = root,
}: Pick<ProjectFolders, 'root' | 'environments'>): Promise<readonly string[]> {
  return listNames(join(environments, 'environments'));
}

async function listNames(folder: string): Promise<readonly string[]> {
  const files = await readdir(folder).catch(() => []);
  return files
    .filter((f) => f.endsWith('.yaml'))
    .map((f) => f.slice(0, -'.yaml'.length))
    .sort();
}

/** Reads a file. Returns undefined if the file does not exist. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (e) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(readErrorCode(e) ?? '')) return undefined;
    throw new Error(`Cannot read ${path}: ${readErrorMessage(e)}`, { cause: e });
  }
}

/** Reads a user's file, or returns a diagnostic. `file` is the path as the user would type it. */
export async function readUserFile(path: string, file: string): Promise<ReadResult<string>> {
  try {
    return { value: await readFile(path, 'utf8'), diagnostics: [] };
  } catch (e) {
    return { value: undefined, diagnostics: [makeUnreadableFile(file, e)] };
  }
}

/** Converts a system error into a diagnostic about an unreadable file or folder. */
export function makeUnreadableFile(file: string, error: unknown): Diagnostic {
  const code = readErrorCode(error);
  const why = READ_ERRORS[code ?? ''] ?? readErrorMessage(error);
  return makeError('unreadable-file', { file, line: 1, column: 1 }, `Cannot read ${file}: ${why}`);
}

/** Why a file cannot be read, by the code of the system. */
export const READ_ERRORS: Partial<Record<string, string>> = {
  EACCES: 'you do not have permission, expected a file that you can read',
  EISDIR: 'it is a folder, expected a file',
  ELOOP: 'its symbolic links form a loop',
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'there is no such file or folder',
};

/** The code of an error of the system: `ENOENT`. */
export function readErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

async function renderNamesHint(place: ProjectFolders): Promise<string> {
  const names = await listEndpoints(place);
  return names.length > 0
    ? `Existing endpoints: ${names.join(', ')}`
    : `There are no endpoint files in ${place.endpoints}/`;
}

function missing(code: Diagnostic['code'], file: string, message: string, hint: string): ReadResult<never> {
  return { value: undefined, diagnostics: [makeError(code, { file, line: 1, column: 1 }, message, hint)] };
}
