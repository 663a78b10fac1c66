// Takes models of many kinds the whole way: logged, locked, validated, and every form of request compared with MLflow.
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makeModels, type MadeModel } from './make-models.ts';
import { MODEL_KINDS } from './model-kinds.ts';
import { isAsExpected, type ModelResult, renderResult, renderSummary } from './render-results.ts';
import { compareForms } from './compare-forms.ts';
import { tryModel } from './try-model.ts';

const HELP = `Makes models of many kinds, proves them, and compares every form of request with MLflow's own server.

  node bin/launch.mjs test/models/run.ts

  --only a,b      Only these models
  --folder PATH   The model directories in this folder, instead of models that are made
  --differences   Also show the differences that follow from a decision
  --list          List the models
  --json          Print one JSON document instead of a table
  --help          Print this help

Exit code 1: a model does not end as expected, or an answer differs from MLflow's without a decision in differences.py.
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    folder: { type: 'string' },
    differences: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const only = values.only?.split(',');
const unknown = values.folder === undefined && only?.find((name) => !MODEL_KINDS.some((k) => k.name === name));
const progress = { say: (line: string) => void process.stderr.write(`${line}\n`) };

if (values.help) process.stdout.write(HELP);
else if (values.list) process.stdout.write(MODEL_KINDS.map((k) => `${k.name.padEnd(24)}${k.environment}\n`).join(''));
else if (typeof unknown === 'string') {
  process.stderr.write(`Cannot try "${unknown}": expected names that --list prints\n`);
  process.exitCode = 2;
} else process.exitCode = await run();

async function run(): Promise<number> {
  const results = await tryModels(values.folder === undefined ? await makeAll() : await listModels(values.folder));
  if (values.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  else process.stdout.write(renderSummary(results));
  return results.every(isAsExpected) ? 0 : 1;
}

async function makeAll(): Promise<readonly MadeModel[]> {
  const kinds = MODEL_KINDS.filter((k) => only?.includes(k.name) ?? true);
  const made: MadeModel[] = [];
  for (const [environment, wanted] of Map.groupBy(kinds, (k) => k.environment)) {
    progress.say(`Making ${wanted.length} models in ${environment}…`);
    made.push(...(await makeModels(environment, wanted)));
  }
  return made;
}

async function listModels(folder: string): Promise<readonly MadeModel[]> {
  const names = (await readdir(folder)).filter((name) => only?.includes(name) ?? true).sort();
  return names.map((name) => ({ name, kind: undefined, folder: resolve(join(folder, name)) }));
}

/** Proves each model, then compares those that share a virtualenv in one program, because MLflow's import is slow. */
async function tryModels(models: readonly MadeModel[]): Promise<readonly ModelResult[]> {
  const { signal } = new AbortController();
  const tried = [];
  for (const model of models) {
    progress.say(`Validating ${model.name}…`);
    tried.push(await tryModel(model, { progress: { say: () => undefined }, signal }));
  }
  const results: ModelResult[] = [];
  for (const [python, sharing] of Map.groupBy(tried, (t) => t.python)) {
    const folders = sharing.map((t) => t.model.folder);
    if (python !== undefined) progress.say(`Comparing ${sharing.map((t) => t.model.name).join(', ')}…`);
    const compared = python === undefined ? undefined : await compareForms(python, folders);
    for (const one of sharing) {
      const result = { ...one, forms: compared?.get(one.model.folder) };
      results.push(result);
      if (!values.json) process.stdout.write(renderResult(result, values.differences));
    }
  }
  return results;
}
