import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findPython } from '../../python/find-python.ts';
import { makeChildEnvironment, runProcess } from '../../system/run-process.ts';
import { modelPython, RUNTIME } from './start-server.ts';

/** MLflow makes files where it is imported. */
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-python-tests-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

// They mostly wait, so all at once.
test.concurrent.for(['3.8', '3.9', '3.11', '3.13'])(
  'the parts of standard library pass their own tests, with Python %s',
  async (minor, { skip }) => {
    const python = await findPython(minor);
    if (!python) return skip('not on this machine');
    await runUnittest(python.executable, 'signatures/signature_test.py');
    await runUnittest(python.executable, 'scoring/lazy_import_test.py');
    await runUnittest(python.executable, 'sharing/worker_mode_test.py');
    await runUnittest(python.executable, 'files/write_locks_test.py');
    await runUnittest(python.executable, 'pool/try_workers_test.py');
    await runUnittest(python.executable, 'pool/compare_workers_test.py');
    await runUnittest(python.executable, 'pool/worker_pool_test.py');
    await runUnittest(python.executable, 'failures/root_cause_test.py');
    await runUnittest(python.executable, 'failures/network_failure_test.py');
    await runUnittest(python.executable, 'front/marks_test.py');
    await runUnittest(python.executable, 'front/drain_test.py');
    await runUnittest(python.executable, 'scoring/cases_test.py');
    await runUnittest(python.executable, 'processes/process_tree_test.py');
    await runUnittest(python.executable, 'processes/loaded_libraries_test.py');
  },
);

test('the parts that read bodies and write answers pass their own tests', async () => {
  await runUnittest(await modelPython(), 'scoring/payload_test.py');
  await runUnittest(await modelPython(), 'scoring/scorer_test.py');
  await runUnittest(await modelPython(), 'sharing/unsigned_test.py');
});

test('time and memory grow with the size of what a client sends, and not with its square', async () => {
  await runUnittest(await modelPython(), 'scoring/hostile_sizes_test.py');
});

test("MLflow's packages that a server does not need are there when a model uses them", async () => {
  await runUnittest(await modelPython(), 'scoring/import_scorer_test.py');
});

async function runUnittest(python: string, file: string): Promise<void> {
  const env = makeChildEnvironment({ PYTHONPATH: RUNTIME });
  const ran = await runProcess(python, [join(import.meta.dirname, file)], { env, cwd: folder });
  const passed = /\nRan [1-9]\d* tests? in .*\n\nOK(?: \(skipped=\d+\))?\n/.test(ran.stderr);
  expect(passed, `${file}: ${ran.stderr.slice(-4000)}`).toBe(true);
}
