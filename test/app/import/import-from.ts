import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { type ImportRequest, importFiles } from '../../../app/import/import-files.ts';

/** Writes files into a new folder and imports the first one, or the named ones. */
export async function importFrom(files: Readonly<Record<string, string>>, more: Partial<ImportRequest> = {}) {
  const cwd = await mkdtemp(join(tmpdir(), 'davit-import-'));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(cwd, name)), { recursive: true });
    await writeFile(join(cwd, name), text);
  }
  const request = {
    ...{ paths: Object.keys(files).slice(0, 1), cwd, folder: join(cwd, 'endpoints'), dryRun: false, force: false },
    ...{ target: undefined, variables: new Map<string, string>(), valueFiles: [], ...more },
  };
  const imported = await importFiles(request);
  const made = imported.endpoints.map((e) => ({ ...e, value: parse(e.text ?? '{}') as unknown }));
  const lines = imported.diagnostics.map((d) => `${d.file}:${d.line}:${d.column} ${d.severity} ${d.code} ${d.message}`);
  return { cwd, request, made, lines };
}
