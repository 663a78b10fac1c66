// Writes the files that are made from others, or with --check says which of them are out of date.
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { format } from 'prettier';
import { z } from 'zod';
import { endpointFile } from '../schemas/endpoint-file.ts';
import { environmentSchema } from '../schemas/environment.ts';

const ROOT = dirname(import.meta.dirname);

const GENERATED: Readonly<Record<string, () => unknown>> = {
  'schemas/endpoint.schema.json': () =>
    jsonSchema(
      endpointFile,
      'Davit endpoint',
      'One model-serving endpoint: the body of a Databricks "create serving endpoint" request',
    ),
  'schemas/environment.schema.json': () =>
    jsonSchema(environmentSchema, 'Davit environment', 'A place endpoints are deployed to'),
};

const check = process.argv.includes('--check');
let stale = 0;
for (const [file, make] of Object.entries(GENERATED)) {
  const wanted = await format(JSON.stringify(make()), { parser: 'json', printWidth: 120 });
  const found = await readFile(join(ROOT, file), 'utf8').catch(() => '');
  if (found === wanted) continue;
  stale += 1;
  if (check) process.stderr.write(`${file} is out of date: run npm run generate\n`);
  else await writeFile(join(ROOT, file), wanted);
}
if (check && stale > 0) process.exitCode = 1;

function jsonSchema(schema: z.ZodType, title: string, description: string): unknown {
  return { ...z.toJSONSchema(schema, { io: 'input', target: 'draft-7', unrepresentable: 'any' }), title, description };
}
