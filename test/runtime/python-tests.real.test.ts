import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findPython } from '../../python/find-python.ts';
import { childEnvironment, runProcess } from '../../system/run-process.ts';
import { modelPython, RUNTIME } from './start-server.ts';

test.each(['3.9', '3.11', '3.13'])(
  'the parts of standard library pass their own tests, with Python %s',
  async (minor) => {
    const python = await findPython(minor);
    if (!python) return; // not on this machine
    await runUnittest(python.executable, 'signature_test.py');
  },
);

test('the parts that read bodies and write answers pass their own tests', async () => {
  await runUnittest(await modelPython(), 'payload_test.py');
});

async function runUnittest(python: string, file: string): Promise<void> {
  const env = childEnvironment({ PYTHONPATH: RUNTIME });
  const ran = await runProcess(python, [join(import.meta.dirname, file)], { env });
  expect(ran.stderr).toMatch(/\nRan [1-9]\d* tests? in .*\n\nOK\n/);
}
