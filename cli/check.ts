import { readdir, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { checkEndpoints } from '../schemas/check-endpoints.ts';
import { type Diagnostic, makeError, sortDiagnostics } from '../schemas/diagnostic.ts';
import { parseEnvironment } from '../schemas/environment.ts';
import { parseEndpoint } from '../schemas/parse-endpoint.ts';
import { readText } from '../schemas/read-declared.ts';
import type { Command } from './command.ts';

export const check: Command = {
  summary: 'Check endpoint files: every mistake, with its line',
  usage: '[FILE|FOLDER…]',
  help: 'Reads files only: no model, no network. Without a path: endpoints/ and environments/ of the project.\n\n  davit check endpoints/iris.yaml\n  davit check some/folder --json',
  options: {},
  args: { min: 0, max: Infinity },
  run: async (context) => {
    const { files, diagnostics } = await checkPaths(context.args, { cwd: context.cwd, root: () => context.root });
    return { diagnostics, result: { files }, text: renderCount(files.length, diagnostics) };
  },
};

interface CheckedFiles {
  readonly files: readonly { readonly file: string; readonly endpoint: string | null }[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Checks files and folders, or everything of the project when none is given. Paths are relative to `cwd`. */
export async function checkPaths(
  paths: readonly string[],
  { cwd, root }: { readonly cwd: string; readonly root: () => string },
): Promise<CheckedFiles> {
  const wanted = paths.length > 0 ? paths.map((p) => resolve(cwd, p)) : [join(root(), 'endpoints')];
  const listed = await Promise.all(wanted.map((path) => listYaml(path, cwd)));
  const files = [...new Set(listed.flatMap((l) => l.files))];
  const endpoints = await Promise.all(files.map((file) => checkFile(file, cwd)));
  const environments = paths.length > 0 ? [] : await checkEnvironments(root(), cwd);
  const diagnostics = sortDiagnostics([
    ...listed.flatMap((l) => l.diagnostics),
    ...endpoints.flatMap((e) => e.diagnostics),
    ...checkEndpoints(endpoints),
    ...environments,
  ]);
  return { files: endpoints.map(({ file, endpoint }) => ({ file, endpoint: endpoint?.name ?? null })), diagnostics };
}

function renderCount(files: number, diagnostics: readonly Diagnostic[]): string {
  const wrong = new Set(diagnostics.filter((d) => d.severity === 'error').map((d) => d.file)).size;
  const checked = `${files} endpoint ${files === 1 ? 'file' : 'files'} checked`;
  return wrong === 0
    ? `${checked}: all fine`
    : `${checked}: ${wrong} ${wrong === 1 ? 'file has' : 'files have'} errors`;
}

async function checkFile(path: string, cwd: string) {
  const file = relative(cwd, path) || path;
  const text = await readText(path);
  const parsed = parseEndpoint(text ?? '', file);
  return { file, ...parsed };
}

async function checkEnvironments(root: string, cwd: string): Promise<readonly Diagnostic[]> {
  const { files } = await listYaml(join(root, 'environments'), cwd);
  const read = files.map(
    async (path) => parseEnvironment((await readText(path)) ?? '', relative(cwd, path)).diagnostics,
  );
  return (await Promise.all(read)).flat();
}

/** A file is itself; of a folder its own YAML files, or those of its endpoints/ when it is a project's. */
async function listYaml(
  path: string,
  cwd: string,
): Promise<{ readonly files: readonly string[]; readonly diagnostics: readonly Diagnostic[] }> {
  const found = await stat(path).catch(() => undefined);
  const file = relative(cwd, path) || path;
  if (!found) {
    const message = `Cannot read ${file}: there is no such file or folder`;
    return { files: [], diagnostics: [makeError('unreadable-file', { file, line: 1, column: 1 }, message)] };
  }
  if (!found.isDirectory()) return { files: [path], diagnostics: [] };
  const names = await readdir(path);
  if (names.includes('Pulumi.yaml') && names.includes('endpoints')) return listYaml(join(path, 'endpoints'), cwd);
  const files = names
    .filter((n) => /\.ya?ml$/.test(n))
    .sort()
    .map((n) => join(path, n));
  return { files, diagnostics: [] };
}
