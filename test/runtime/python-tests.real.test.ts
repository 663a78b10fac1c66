import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findPython } from '../../python/find-python.ts';
import { childEnvironment, runProcess } from '../../system/run-process.ts';
import { modelPython, RUNTIME } from './start-server.ts';

test.for(['3.9', '3.11', '3.13'])(
  'the parts of standard library pass their own tests, with Python %s',
  async (minor, { skip }) => {
    const python = await findPython(minor);
    if (!python) return skip('not on this machine');
    await runUnittest(python.executable, 'signature_test.py');
    await runUnittest(python.executable, 'lazy_import_test.py');
  },
);

test('the parts that read bodies and write answers pass their own tests', async () => {
  await runUnittest(await modelPython(), 'payload_test.py');
});

test("MLflow's packages that a server does not need are there when a model uses them", async () => {
  await runUnittest(await modelPython(), 'import_scorer_test.py');
});

async function runUnittest(python: string, file: string): Promise<void> {
  const env = childEnvironment({ PYTHONPATH: RUNTIME });
  const ran = await runProcess(python, [join(import.meta.dirname, file)], { env });
  expect(ran.stderr).toMatch(/\nRan [1-9]\d* tests? in .*\n\nOK\n/);
}
