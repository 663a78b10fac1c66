import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Diagnostic, makeError } from './diagnostic.ts';
import type { Endpoint } from './endpoint.ts';
import { type Environment, parseEnvironment } from './environment.ts';
import { type Lock, parseLock } from './lock.ts';
import { parseEndpoint } from './parse-endpoint.ts';

/** A file's value, or why there is none. */
export interface Declared<T> {
  readonly value: T | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads `endpoints/NAME.yaml` of the project at `root`. */
export async function readEndpoint(root: string, name: string): Promise<Declared<Endpoint>> {
  const file = `endpoints/${name}.yaml`;
  const text = await readText(join(root, file));
  if (text === undefined)
    return missing(
      'unknown-endpoint',
      file,
      `Cannot find the endpoint "${name}": there is no file ${file}`,
      await namesHint(root),
    );
  const { endpoint, diagnostics } = parseEndpoint(text, file);
  return { value: endpoint, diagnostics };
}

/** Reads `environments/NAME.yaml` of the project at `root`. */
export async function readEnvironment(root: string, name: string): Promise<Declared<Environment>> {
  const file = `environments/${name}.yaml`;
  const text = await readText(join(root, file));
  if (text === undefined)
    return missing(
      'unknown-environment',
      file,
      `Cannot find the environment "${name}": there is no file ${file}`,
      `Write it: name: ${name}, target: local`,
    );
  const { environment, diagnostics } = parseEnvironment(text, file);
  return { value: environment, diagnostics };
}

/** Reads `endpoints/NAME.lock` of the project at `root`. */
export async function readLock(root: string, endpoint: string): Promise<Declared<Lock>> {
  const file = lockFile(endpoint);
  const text = await readText(join(root, file));
  if (text === undefined)
    return missing(
      'lock-missing',
      file,
      `Cannot deploy "${endpoint}": it has no lock`,
      `Make it: npx davit lock ${endpoint}`,
    );
  const { lock, diagnostics } = parseLock(text, file);
  return { value: lock, diagnostics };
}

/** Where an endpoint's lock is, below the project's root. */
export function lockFile(endpoint: string): string {
  return `endpoints/${endpoint}.lock`;
}

/** Names of all endpoint files of a project, sorted. */
export async function listEndpoints(root: string): Promise<readonly string[]> {
  const files = await readdir(join(root, 'endpoints')).catch(() => []);
  return files
    .filter((f) => f.endsWith('.yaml'))
    .map((f) => f.slice(0, -'.yaml'.length))
    .sort();
}

/** A file's text; undefined when there is none. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (e) {
    if (e instanceof Error && 'code' in e && e.code === 'ENOENT') return undefined;
    throw new Error(`Cannot read ${path}: ${e instanceof Error ? e.message : String(e)}`, { cause: e });
  }
}

async function namesHint(root: string): Promise<string> {
  const names = await listEndpoints(root);
  return names.length > 0 ? `There are: ${names.join(', ')}` : 'There are no endpoint files in endpoints/';
}

function missing(code: Diagnostic['code'], file: string, message: string, hint: string): Declared<never> {
  return { value: undefined, diagnostics: [makeError(code, { file, line: 1, column: 1 }, message, hint)] };
}
