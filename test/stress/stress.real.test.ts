import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MODEL_KINDS } from './model-kinds.ts';
import { makeModels, type StressModel } from './make-models.ts';
import { startService, type Service } from './start-service.ts';
import { stressModel } from './stress-model.ts';

/** `all`: every model with all its requests, which needs gigabytes of packages. `light`: models without large ones. */
const MORE = process.env['DAVIT_STRESS'];
const ALL = MORE === 'all' || MORE === 'light';
const REQUESTS = ALL ? 2000 : 400;
const OPTIONS = { workers: ALL ? 4 : 2, clients: 8 }; // each separate worker imports MLflow, which takes 1.5 s
const kinds = MODEL_KINDS.filter(
  (kind) => MORE === 'all' || (MORE === 'light' ? kind.environment === 'light' : kind.isInEveryRun),
);

let service: Service;
let models: readonly StressModel[];

beforeAll(async () => {
  service = await startService();
  models = await makeModels(kinds, { requests: REQUESTS, service });
}, 3_600_000);
afterAll(() => service.stop());

test.for(kinds)('every answer equals that of mlflow.pyfunc: $name', async (kind) => {
  const model = models.find((m) => m.kind === kind)!;
  const result = await stressModel(model, { ...OPTIONS, service });
  expect(result).toMatchObject({ wrong: 0, failed: 0, first: [], asked: model.requests });
  if (kind.isHarmless) expect(result).toMatchObject({ mode: 'shared', found: [] });
});

test('a wrong answer is counted and reported', async () => {
  const model = models.find((m) => m.kind.name === 'dict_cache')!;
  const expected = JSON.parse(await readFile(model.answers, 'utf8')) as number[][];
  expected[7] = [1.5];
  const answers = join(await mkdtemp(join(tmpdir(), 'davit-stress-')), 'answers.json');
  await writeFile(answers, JSON.stringify(expected));
  const { wrong, failed, first } = await stressModel({ ...model, answers }, { ...OPTIONS, service });
  await rm(join(answers, '..'), { recursive: true });
  expect({ wrong, failed, first }).toEqual({
    wrong: 1,
    failed: 0,
    first: [expect.stringMatching(/expected \[1\.5\]$/)],
  });
});
