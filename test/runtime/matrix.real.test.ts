import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findPython } from '../../python/find-python.ts';
import { findUv } from '../../python/find-uv.ts';
import { makeChildEnvironment, runProcess } from '../../system/run-process.ts';
import { RUNTIME } from './start-server.ts';

/** The oldest pair and the newest; DAVIT_TEST_EVERYTHING adds those between them. See the table in runtime/README.md. */
const ENDS = [
  ['3.8', '2.10.0'],
  ['3.13', '3.17.2'],
] as const;
const BETWEEN = [
  ['3.8', '2.17.2'],
  ['3.9', '2.10.0'],
  ['3.9', '3.1.4'],
  ['3.10', '2.10.0'],
  ['3.10', '3.17.2'],
  ['3.11', '2.10.0'],
  ['3.11', '2.16.2'],
  ['3.11', '3.17.2'],
  ['3.12', '2.16.2'],
  ['3.12', '3.17.2'],
  ['3.13', '2.22.0'],
] as const;
const CELLS = process.env['DAVIT_TEST_EVERYTHING'] ? [...ENDS, ...BETWEEN] : ENDS;
const TESTS = [
  'signatures/signature_test.py',
  'failures/root_cause_test.py',
  'scoring/payload_test.py',
  'scoring/scorer_test.py',
];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-matrix-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.for(CELLS)('Python %s with MLflow %s', async ([minor, mlflow], { skip }) => {
  const found = await findPython(minor);
  if (!found) return skip('not on this machine');
  const virtualenv = join(folder, `${minor}-${mlflow}`);
  const python = join(virtualenv, 'bin', 'python');
  const env = makeChildEnvironment({ PYTHONPATH: RUNTIME });
  const uv = await findUv();
  const old = mlflow.startsWith('2.');
  const packages = [
    `mlflow-skinny==${mlflow}`,
    'pyarrow',
    ...(old ? ['pandas<3', 'numpy<3', 'setuptools<80'] : ['pandas']),
  ];
  for (const args of [
    ['venv', '--python', found.executable, virtualenv],
    ['pip', 'install', '--python', python, ...packages],
  ])
    expect(await runProcess(uv, args, { env })).toMatchObject({ code: 0 });
  for (const file of TESTS) {
    const ran = await runProcess(python, [join(import.meta.dirname, file)], { env, cwd: folder });
    expect(ran.stderr).toMatch(/\nRan [1-9]\d* tests? in .*\n\nOK(?: \(skipped=\d+\))?\n/);
  }
});
