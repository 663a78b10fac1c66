import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Document } from 'yaml';
import type { z } from 'zod';
import { type Diagnostic, hasErrors, makeError, makeWarning, sortDiagnostics } from '../schemas/diagnostic.ts';
import { endpointFile } from '../schemas/endpoint/endpoint-file.ts';
import { renameDeprecatedNames } from '../schemas/endpoint/document/rename-deprecated-fields.ts';
import { findNamedFile } from './find-named-file.ts';
import { parseEndpoint } from '../schemas/endpoint/parse-endpoint.ts';
import { parseEnvironment } from '../schemas/environment/environment.ts';
import { environmentFile } from '../schemas/environment/environment-file.ts';
import { makeUnreadableFile, readUserFile } from '../schemas/read-project.ts';
import { formatYaml } from '../schemas/yaml/format-yaml.ts';
import { rewriteFileAtomically } from '../system/atomic-files.ts';
import { isBelow } from '../system/is-below.ts';

export interface FormattedFiles {
  /** In the order of their paths. */
  readonly files: readonly FormattedFile[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface FormattedFile {
  readonly file: string;
  /** Whether the text differs from its canonical form, or did before it was written. */
  readonly changed: boolean;
}

export interface FormatOptions {
  readonly cwd: string;
  readonly root: () => string;
  /** Reports without writing. */
  readonly checkOnly: boolean;
}

/** Writes files in their canonical form: those given, or all endpoints and environments of the project. */
export async function formatFiles(paths: readonly string[], options: FormatOptions): Promise<FormattedFiles> {
  const { cwd, root } = options;
  const given =
    paths.length > 0 ? paths.map((path) => resolve(cwd, findNamedFile(path, options))) : listFolders(root());
  const listed = await Promise.all(given.map((path) => listYaml(path, cwd, paths.length > 0)));
  const files = [...new Set(listed.flatMap((l) => l.files))].sort();
  const formatted = await Promise.all(files.map((path) => formatFile(path, options)));
  return {
    files: formatted.flatMap((f) => f.file ?? []),
    diagnostics: sortDiagnostics([...listed.flatMap((l) => l.diagnostics), ...formatted.flatMap((f) => f.diagnostics)]),
  };
}

function listFolders(root: string): readonly string[] {
  return ['endpoints', 'environments'].map((folder) => join(root, folder));
}

async function listYaml(path: string, cwd: string, given: boolean) {
  try {
    if (!(await stat(path)).isDirectory()) return { files: [path], diagnostics: [] };
    const names = (await readdir(path)).filter((name) => /\.ya?ml$/i.test(name));
    return { files: names.map((name) => join(path, name)), diagnostics: [] };
  } catch (e) {
    return { files: [], diagnostics: given ? [makeUnreadableFile(relative(cwd, path) || '.', e)] : [] };
  }
}

/** How one kind of file is read and written. */
interface FileKind {
  readonly schema: z.ZodType;
  readonly canonicalize: (document: Document) => void;
  readonly check: (text: string, file: string) => readonly Diagnostic[];
}

const ENDPOINT: FileKind = {
  schema: endpointFile,
  canonicalize: renameDeprecatedNames,
  check: (text, file) => parseEndpoint(text, file).diagnostics,
};
const ENVIRONMENT: FileKind = {
  schema: environmentFile,
  canonicalize: () => undefined,
  check: (text, file) => parseEnvironment(text, file).diagnostics,
};

async function formatFile(path: string, options: FormatOptions) {
  const { cwd, checkOnly } = options;
  const file = relative(cwd, path);
  const { value: text, diagnostics } = await readUserFile(path, file);
  if (text === undefined) return { file: undefined, diagnostics };
  const target = await realpath(path);
  if (!(await isInside(path, target, options)))
    return { file: undefined, diagnostics: [refuseLink(file, relative(cwd, target))] };
  const kind = basename(dirname(path)) === 'environments' ? ENVIRONMENT : ENDPOINT;
  const foreign = kind.check(text, file).filter((d) => d.code === 'foreign-file');
  if (foreign.length > 0) return { file: undefined, diagnostics: foreign };
  const formatted = formatYaml(text, kind.schema, kind.canonicalize);
  if (formatted === undefined) return { file: undefined, diagnostics: explainUnformatted(text, file, kind) };
  // A link stays a link.
  if (formatted !== text && !checkOnly) await rewriteFileAtomically(target, formatted);
  return { file: { file, changed: formatted !== text }, diagnostics: [] };
}

/** Whether a file is where its path says, or at least in the same project: links of a checkout can lead anywhere. */
async function isInside(path: string, target: string, { root }: FormatOptions): Promise<boolean> {
  const folders = [findRoot(root), dirname(path)].filter((folder) => folder !== undefined);
  const around = folders.find((folder) => isBelow(path, folder)) ?? dirname(path);
  return isBelow(target, await realpath(around));
}

/** Undefined: the user named files outside a project. */
function findRoot(root: () => string): string | undefined {
  try {
    return root();
  } catch {
    return undefined;
  }
}

function refuseLink(file: string, target: string): Diagnostic {
  const message = `Cannot format ${file}: it is a link to ${target}, outside the project, expected a file in it`;
  return makeError('unreadable-file', { file, line: 1, column: 1 }, message, `Format ${target} itself`);
}

/** The mistakes in the YAML; without one, the text has a form that formatting would damage. */
function explainUnformatted(text: string, file: string, { check }: FileKind): readonly Diagnostic[] {
  const place = { file, line: 1, column: 1 };
  const found = check(text, file).filter((d) => d.code === 'bad-yaml');
  if (hasErrors(found)) return found;
  if (text.trim() === '') return [makeError('wrong-type', place, 'Cannot format an empty file: expected a map')];
  return [makeWarning('bad-yaml', place, 'Cannot format the file without a loss, so it stays as it is')];
}
