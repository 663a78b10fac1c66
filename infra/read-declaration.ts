import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as pulumi from '@pulumi/pulumi';
import { type Diagnostic, hasErrors, makeError, renderDiagnostic, sortDiagnostics } from '../schemas/diagnostic.ts';
import { checkAgainstEnvironment, parseEnvironment } from '../schemas/environment.ts';
import { parseLock } from '../schemas/lock.ts';
import { parseStackName } from '../schemas/names.ts';
import { parseEndpoint } from '../schemas/parse-endpoint.ts';
import { checkLockedEntities } from './check-locked-entities.ts';
import type { Declaration } from './declaration.ts';

/** Reads what the stack deploys from the project at `root`; what is wrong with it ends the program, all at once. */
export async function readDeclaration(root: string, stack: string): Promise<Declaration> {
  const names = parseStackName(stack);
  if (!names)
    throw new pulumi.RunError(`Cannot deploy stack "${stack}": expected ENDPOINT.ENVIRONMENT, as in iris.local`);
  const lockFile = `endpoints/${names.endpoint}.lock`;
  const read = await Promise.all([
    readEndpoint(root, names.endpoint),
    readEnvironment(root, names.environment),
    readLock(root, lockFile, names.endpoint),
  ]);
  const [endpoint, environment, lock] = [read[0].value, read[1].value, read[2].value];
  const diagnostics = [
    ...read.flatMap((r) => r.diagnostics),
    ...(endpoint && environment ? checkAgainstEnvironment(endpoint, environment) : []),
    ...(endpoint && lock ? checkLockedEntities(endpoint, lock) : []),
  ];
  if (!endpoint || !environment || !lock || hasErrors(diagnostics)) throw refusal(stack, diagnostics);
  return { root, endpoint, environment, lock, lockFile };
}

interface Read<T> {
  readonly value: T | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

function readEndpoint(root: string, name: string) {
  const file = `endpoints/${name}.yaml`;
  const missing = makeError('unknown-endpoint', atTop(file), `Cannot deploy "${name}": there is no file ${file}`);
  return readParsed(join(root, file), missing, (text) => {
    const { endpoint, diagnostics } = parseEndpoint(text, file);
    return { value: endpoint, diagnostics };
  });
}

function readEnvironment(root: string, name: string) {
  const file = `environments/${name}.yaml`;
  const missing = makeError('unknown-environment', atTop(file), `Cannot deploy to "${name}": there is no file ${file}`);
  return readParsed(join(root, file), missing, (text) => {
    const { environment, diagnostics } = parseEnvironment(text, file);
    return { value: environment, diagnostics };
  });
}

function readLock(root: string, file: string, endpoint: string) {
  const hint = `Make it: npx davit lock ${endpoint}`;
  const missing = makeError('lock-missing', atTop(file), `Cannot deploy "${endpoint}": it has no lock`, hint);
  return readParsed(join(root, file), missing, (text) => {
    const { lock, diagnostics } = parseLock(text, file);
    return { value: lock, diagnostics };
  });
}

async function readParsed<T>(path: string, missing: Diagnostic, parse: (text: string) => Read<T>): Promise<Read<T>> {
  try {
    return parse(await readFile(path, 'utf8'));
  } catch (e) {
    if (e instanceof Error && 'code' in e && e.code === 'ENOENT') return { value: undefined, diagnostics: [missing] };
    throw e;
  }
}

function atTop(file: string) {
  return { file, line: 1, column: 1 };
}

function refusal(stack: string, diagnostics: readonly Diagnostic[]): pulumi.RunError {
  const lines = sortDiagnostics(diagnostics).map(renderDiagnostic);
  return new pulumi.RunError(`Cannot deploy "${stack}":\n${lines.join('\n')}`);
}
