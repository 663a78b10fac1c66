import { dirname, join, resolve } from 'node:path';
import { type Diagnostic, hasErrors, makeError, sortDiagnostics } from '../../schemas/diagnostic.ts';
import { readText } from '../../schemas/read-project.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import type { ForeignFile, ImportValues } from './foreign-endpoint.ts';
import { makeEndpoint, type MadeEndpoint } from './make-endpoint.ts';
import { listFiles, showPath, startOf } from './read-files.ts';
import { readForeignTerraform, readForeignYaml } from './read-foreign.ts';

export interface ImportRequest extends ImportValues {
  /** The files and folders as the user typed them. */
  readonly paths: readonly string[];
  readonly cwd: string;
  /** Absolute path of the folder for endpoint files. */
  readonly folder: string;
  readonly dryRun: boolean;
  /** Whether files that exist may be replaced. */
  readonly force: boolean;
}

export interface ImportedEndpoint {
  readonly name: string;
  /** The endpoint file as the user would type it. */
  readonly file: string;
  readonly status: 'written' | 'unchanged' | 'would-write' | 'not-written';
  readonly text: string | null;
  /** Whether something is left to do in the file. */
  readonly complete: boolean;
}

export interface Imported {
  readonly endpoints: readonly ImportedEndpoint[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Makes endpoint files of foreign files. */
export async function importFiles(request: ImportRequest): Promise<Imported> {
  const { files, diagnostics } = await listFiles(request.paths, request.cwd);
  const foreign = await readAll(files, request);
  const shown = showPath(request.folder, request.cwd);
  const made = foreign.flatMap((f) => f.endpoints).map((endpoint) => makeEndpoint(endpoint, shown));
  const all = [...diagnostics, ...foreign.flatMap((f) => f.diagnostics), ...made.flatMap((m) => m.diagnostics)];
  const endpoints: ImportedEndpoint[] = [];
  for (const [i, endpoint] of made.entries()) {
    const isSecond = made.findIndex((m) => m.name.toLowerCase() === endpoint.name.toLowerCase()) < i;
    const outcome = await writeEndpoint(endpoint, request, isSecond);
    endpoints.push(outcome.endpoint);
    all.push(...outcome.diagnostics);
  }
  if (made.length === 0 && !hasErrors(all))
    all.push(
      makeError(
        'not-imported',
        startOf(request.paths[0] ?? ''),
        `Cannot find an endpoint in ${request.paths.join(', ')}`,
      ),
    );
  return { endpoints, diagnostics: sortDiagnostics(all) };
}

/** The .tf files of one folder are one module; every other file stands alone. */
async function readAll(files: readonly string[], request: ImportRequest): Promise<readonly ForeignFile[]> {
  const isTerraform = (file: string) => file.endsWith('.tf');
  const folders = [...new Set(files.filter(isTerraform).map((file) => dirname(file)))];
  return Promise.all([
    ...files.filter((file) => !isTerraform(file)).map((file) => readForeignYaml(file, request.cwd, request)),
    ...folders.map((folder) => {
      const own = files.filter((file) => isTerraform(file) && dirname(file) === folder);
      return readForeignTerraform(own, request.cwd, request);
    }),
  ]);
}

async function writeEndpoint(
  { name, text, diagnostics }: MadeEndpoint,
  { folder, cwd, dryRun, force }: ImportRequest,
  isSecond: boolean,
): Promise<{ readonly endpoint: ImportedEndpoint; readonly diagnostics: readonly Diagnostic[] }> {
  const path = join(resolve(folder), `${name}.yaml`);
  const file = showPath(path, cwd);
  const complete = !hasErrors(diagnostics);
  const make = (status: ImportedEndpoint['status'], more: readonly Diagnostic[] = []) => ({
    endpoint: { name, file, status, text: text ?? null, complete },
    diagnostics: more,
  });
  if (text === undefined) return make('not-written');
  const refuse = (why: string, hint: string) =>
    make('not-written', [makeError('not-imported', startOf(file), `Cannot write ${file}: ${why}`, hint)]);
  if (isSecond) return refuse(`two imported endpoints have the name "${name}"`, 'Import them one after the other');
  const existing = await readText(path);
  if (existing === text) return make('unchanged');
  if (existing !== undefined && !force) return refuse('the file exists', 'Give --force to replace it, or --to FOLDER');
  if (dryRun) return make('would-write');
  await writeFileAtomically(path, text);
  return make('written');
}
