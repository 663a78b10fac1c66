import { join, resolve } from 'node:path';
import { type Diagnostic, hasErrors, makeError, sortDiagnostics } from '../../schemas/diagnostic.ts';
import { readText } from '../../schemas/read-project.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import type { ForeignFile, ImportValues } from './foreign-endpoint.ts';
import { makeEndpoint, type MadeEndpoint } from './make-endpoint.ts';
import { listFiles, skipIncluded } from './read-files.ts';
import { readForeignYaml } from './read-foreign.ts';
import { showPath, startOf } from './show-path.ts';
import { isTerraform } from './terraform-files.ts';

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
    const first = made.slice(0, i).find((m) => m.name.toLowerCase() === endpoint.name.toLowerCase());
    const outcome = await writeEndpoint(endpoint, request, first);
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

/** The .tf files of one folder are one module; a bundle has the files that it includes; every other file stands alone. */
async function readAll(files: readonly string[], request: ImportRequest): Promise<readonly ForeignFile[]> {
  const others = await skipIncluded(
    files.filter((file) => !isTerraform(file)),
    request.cwd,
  );
  const read = await Promise.all(others.map((file) => readForeignYaml(file, request.cwd, request)));
  const terraform = files.filter(isTerraform);
  if (terraform.length === 0) return read;
  const { readTerraform } = await import('./terraform/read-terraform.ts');
  return [...read, ...(await readTerraform(terraform, request.cwd, request))];
}

async function writeEndpoint(
  { name, text, diagnostics }: MadeEndpoint,
  { folder, cwd, dryRun, force }: ImportRequest,
  first: MadeEndpoint | undefined,
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
  if (first?.name === name && first.text === text) return make('unchanged');
  if (first) return refuse(`two imported endpoints have the name "${name}"`, 'Import them one after the other');
  const existing = await readText(path);
  if (existing === text) return make('unchanged');
  if (existing !== undefined && !force) return refuse('the file exists', 'Give --force to replace it, or --to FOLDER');
  if (dryRun) return make('would-write');
  await writeFileAtomically(path, text);
  return make('written');
}
