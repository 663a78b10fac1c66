import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DiagnosticCode } from '../../../schemas/diagnostic-codes.ts';
import { renderDiagnostic } from '../../../schemas/diagnostic.ts';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';
import { makeIrisFile } from '../../../schemas/explanations/explanation.ts';
import { EXPLANATIONS } from '../../../schemas/explanations/explanations.ts';
import { explainProof } from '../../../validation/proof/explain-proof.ts';
import type { ProofDocument } from '../../../validation/proof/proof-document.ts';
import { makeSubject } from '../../../validation/subject.ts';
import { makeDocumentedProject } from '../../docs/documented-project.ts';
import { parseCommand } from '../../docs/parse-command.ts';

const LIMITS = { loadSeconds: 600, loads: 1, predictSeconds: 120, predictions: 1, memoryBytes: 4 * 2 ** 30 } as const;
const firstLine = (text: string) => text.split('\n')[0];
const BUNDLE = `resources:
  model_serving_endpoints:
    iris:
      name: iris
      description: Species of an iris
      config:
        served_entities:
          - entity_name: iris
            entity_version: "2"
      ai_gateway:
        rate_limits: [{ calls: 60, renewal_period: minute }]
        guardrails: { input: { safety: true } }
`;

/** Codes about what no file shows: the command of their page is run. */
test.each(['unreadable-file', 'unknown-endpoint', 'unknown-environment', 'not-imported'] as const)(
  'the command on the page of %s prints the line on the page',
  async (code) => {
    const { command, says } = EXPLANATIONS[code].example;
    const project = await makeDocumentedProject();
    await writeFile(join(project.root, 'databricks.yml'), BUNDLE);
    const { diagnostics } = await project.run(await parseCommand(command.split(' ')));
    expect(diagnostics.map((d) => firstLine(renderDiagnostic(d)))).toContain(says);
  },
  120_000,
);

/** What the process of the proof reports, for the pages of what a model does wrong. */
const FAILURES: readonly (readonly [DiagnosticCode, Partial<ProofDocument>])[] = [
  ['import-failed', failAt('load', 'ModuleNotFoundError', "No module named 'seaborn'", 'seaborn')],
  [
    'load-failed',
    failAt(
      'load',
      'FileNotFoundError',
      "FileNotFoundError: [Errno 2] No such file or directory: '/dbfs/models/iris.pkl'",
    ),
  ],
  ['prediction-failed', failAt('predict', 'KeyError', "KeyError: 'petal_width'")],
  [
    'output-mismatch',
    failAt('signature', 'SignatureMismatch', 'column "score": expected double, found string "high" in row 0'),
  ],
  ['time-limit', { cases: [{ origin: 'example', name: '', seconds: 300 }] }],
  ['memory-limit', failAt('load', 'MemoryError', 'MemoryError')],
];

function failAt(stage: string, kind: string, message: string, module?: string): Partial<ProofDocument> {
  return { failed: { stage, kind, message, module: module ?? null, trace: '' } };
}

test.each(FAILURES)('what a model does wrong is explained as on the page of %s', (code, failure) => {
  const { says } = EXPLANATIONS[code].example;
  const name = /^endpoints\/(\w+)\.yaml/.exec(says)?.[1] ?? '';
  const version = name === 'iris' ? '2' : '1';
  const text = makeIrisFile().replaceAll('iris', name).replace('"2"', `"${version}"`);
  const { endpoint } = parseEndpoint(text, `endpoints/${name}.yaml`);
  const [entity] = endpoint?.entities ?? [];
  if (!endpoint || !entity) throw new Error('Cannot read the endpoint of the example');
  const document: ProofDocument = {
    stages: [],
    failed: null,
    cases: [],
    peak_memory_bytes: 0,
    warnings: [],
    libraries: [],
    ...failure,
  };
  const run = { code: 1, signal: undefined, stdout: '', stderr: '', stopped: undefined };
  const found = explainProof(
    makeSubject(endpoint, entity),
    { document, began: 'predict', run, sandbox: undefined },
    { limits: LIMITS, packages: [], elsewhere: [] },
  );
  expect(found.map((d) => firstLine(renderDiagnostic(d)))).toEqual([says]);
});
