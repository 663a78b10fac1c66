import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { modelPython } from '../runtime/start-server.ts';
import { type ComparedForm, compareForms } from './compare-forms.ts';
import { runMaker } from './make-models.ts';

/** One model for each kind of input. The others are in the matrix (README.md). */
const NAMES = ['columns_all', 'dates', 'nan_answer', 'named_tensors', 'nested', 'parameters', 'type_hints_object'];

let folder = '';
let compared: ReadonlyMap<string, readonly ComparedForm[] | string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-forms-'));
  const python = await modelPython();
  expect(await runMaker(python, folder, NAMES.map((name) => `pyfuncs.${name}`))).toEqual({}); // prettier-ignore
  compared = await compareForms(python, NAMES.map((name) => join(folder, name))); // prettier-ignore
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.for(NAMES)("every form of request is answered as by MLflow's own server: %s", (name) => {
  const forms = compared.get(join(folder, name));
  if (forms === undefined || typeof forms === 'string') return expect.fail(forms ?? 'no result');
  expect(forms.length).toBeGreaterThan(25);
  expect(forms.filter((f) => f.status === 200).length).toBeGreaterThan(5);
  expect(forms.filter((f) => f.difference !== null && f.decision === null)).toEqual([]);
});
