// Writes the generated files or, with --check, reports those that are out of date.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { format } from 'prettier';
import { z } from 'zod';
import { type DiagnosticCode, DIAGNOSTIC_CODES } from '../schemas/diagnostic-codes.ts';
import { endpointFile } from '../schemas/endpoint/endpoint-file.ts';
import { renderCodePage, renderGuide } from '../schemas/explanations/render-page.ts';
import { environmentFile } from '../schemas/environment/environment-file.ts';
import { writeFileAtomically } from '../system/atomic-files.ts';
import { codePath } from '../system/code.ts';
import { makeBundle } from './bundle-action.ts';
import { renderEndpointReference, renderEnvironmentReference } from './reference/render-pages.ts';

const GENERATED: Readonly<Record<string, () => string>> = {
  'docs/diagnostics.md': renderGuide,
  ...Object.fromEntries(
    (Object.keys(DIAGNOSTIC_CODES) as DiagnosticCode[]).map((code) => [
      `docs/diagnostics/${code}.md`,
      () => renderCodePage(code),
    ]),
  ),
  'docs/endpoint-reference.md': renderEndpointReference,
  'docs/environment-reference.md': renderEnvironmentReference,
  'schemas/endpoint.schema.json': () =>
    renderJsonSchema(
      endpointFile,
      'Davit endpoint',
      'One model-serving endpoint: the body of a Databricks "create serving endpoint" request',
    ),
  'schemas/environment.schema.json': () =>
    renderJsonSchema(environmentFile, 'Davit environment', 'A place endpoints are deployed to'),
  'action/action.yml': makeSelfReference,
};
const PARSERS: Readonly<Record<string, string>> = { '.json': 'json', '.md': 'markdown', '.yml': 'yaml' };

const check = process.argv.includes('--check');
let stale = 0;
for (const [file, wanted] of [...(await makePages()), ...(await makeBundle())]) {
  const found = await readFile(codePath(file), 'utf8').catch(() => '');
  if (found === wanted) continue;
  stale += 1;
  if (check) process.stderr.write(`${file} is out of date: run npm run generate\n`);
  else await writeFileAtomically(codePath(file), wanted);
}
if (check && stale > 0) process.exitCode = 1;

async function makePages(): Promise<readonly (readonly [file: string, text: string])[]> {
  const made = Object.entries(GENERATED).map(async ([file, make]) => {
    const parser = PARSERS[extname(file)] ?? 'json';
    return [file, await format(make(), { parser, printWidth: 120 })] as const;
  });
  return Promise.all(made);
}

function renderJsonSchema(schema: z.ZodType, title: string, description: string): string {
  const made = {
    ...z.toJSONSchema(schema, { io: 'input', target: 'draft-7', unrepresentable: 'any' }),
    title,
    description,
  };
  return JSON.stringify(made);
}

/** Makes a copy of the action in a folder, because `uses: $/PATH` (of the workflow's own commit) needs a path. */
function makeSelfReference(): string {
  const action = readFileSync(codePath('action.yml'), 'utf8').replace('main: action/dist/', 'main: dist/');
  return `# Generated from ../action.yml for the workflows of this repository, which use $/action.\n${action}`;
}
