import { mkdir, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import { checkSize } from '../../../validation/size/check-size.ts';
import { measureModel } from '../../../validation/size/measure-model.ts';
import { makeSubject } from '../../../validation/subject.ts';
import { makeStandaloneSubject } from '../../../validation/validate-model.ts';
import { validateEndpoint } from '../../../validation/validate-endpoint.ts';
import { makeEndpoint, makeProject } from '../throw-away-project.ts';

const GIBIBYTE = 2 ** 30;
const HARDWARE = { gpu: undefined, nodeSelector: {}, tolerations: [], deploymentSeconds: 1, coldStartSeconds: 1 };

/** A Kubernetes environment whose CPU has so much memory. */
function environment(memory: string, per: 'unit' | 'replica'): KubernetesEnvironment {
  const hardware = { CPU: { ...HARDWARE, cpu: '1', memory, per } };
  return { target: 'kubernetes', name: 'prod', hardware } as unknown as KubernetesEnvironment;
}

/** A model of a pickle and other files, in GiB. */
function check(pickle: number, others: number, davit: object, environments: readonly KubernetesEnvironment[] = []) {
  const endpoint = makeEndpoint('e', { m: 'large/1' }, { m: davit });
  const whole = { path: 'model.pkl', bytes: pickle * GIBIBYTE };
  const size = { bytes: (pickle + others) * GIBIBYTE, whole: pickle === 0 ? undefined : whole };
  return checkSize(makeSubject(endpoint, endpoint.entities[0]!), size, environments).map((d) => [
    d.severity,
    d.code,
    d.message,
    d.hint,
  ]);
}

test('a pickle that does not fit into the memory of a process is an error with the arithmetic', () => {
  expect(check(4, 0, { workers: 'shared' })).toEqual([]);
  expect(check(5, 0, {})).toEqual([
    [
      'error',
      'memory-limit',
      'Cannot fit large 1 into the memory of a process of CPU: loading reads model.pkl, which takes at least 5 GiB, expected at most 4 GiB',
      'Choose a larger workload_type (CPU_MEDIUM, CPU_LARGE)',
    ],
  ]);
});

test('each of the separate workers needs memory for its copy', () => {
  const [first, ...others] = check(5, 0, { workers: 'separate' });
  expect(first?.[2]).toBe(
    'Cannot fit large 1 into the memory of a replica of CPU: each of 4 workers loads model.pkl, which takes at least 4 × 5 GiB = 20 GiB, expected at most 4 × 4 GiB = 16 GiB',
  );
  expect(others.map(([severity]) => severity)).toEqual(['error']); // nor into that of the proof
  const ways =
    'Choose a larger workload_type (CPU_MEDIUM, CPU_LARGE), or set davit.served_entities.m.workers: shared (one copy for all workers)';
  expect(check(0, 3, { workers: 'separate' })).toEqual([
    [
      'warning',
      'memory-limit',
      'Found 3 GiB of files in large 1: a copy for each of 4 workers takes about 4 × 3 GiB = 12 GiB, expected at most two thirds of 4 × 4 GiB = 16 GiB, the memory of a replica of CPU',
      ways,
    ],
  ]);
  expect(check(0, 3, {})[0]?.[2]).toContain('for each of 4 workers, unless they can share one, takes about 4 × 3 GiB');
});

test('a hint names only ways out that lead out', () => {
  const hints = (pickle: number, davit: object) => check(pickle, 0, davit).map(([, , , hint]) => hint);
  expect(hints(20, {})).toEqual([
    'Choose a larger workload_type (CPU_MEDIUM, CPU_LARGE)',
    'Choose a larger workload_type (CPU_MEDIUM, CPU_LARGE)',
  ]);
  expect(hints(5, { workers: 'one' })).toEqual(['Choose a larger workload_type (CPU_MEDIUM, CPU_LARGE)']); // once
  const endpoint = makeEndpoint('e', { m: 'large/1' });
  const size = { bytes: 17 * GIBIBYTE, whole: { path: 'model.pkl', bytes: 17 * GIBIBYTE } };
  const largest = makeSubject(endpoint, { ...endpoint.entities[0]!, workloadType: 'CPU_LARGE' });
  expect(checkSize(largest, size).map((d) => d.hint)).toEqual([
    'There is no larger CPU type: save a smaller model, or serve it with a GPU type',
  ]);
  const [alone, ...others] = checkSize(makeStandaloneSubject('m', { cwd: '/' }), size);
  expect([alone?.hint, others]).toEqual([expect.stringContaining('proved in 4 GiB'), []]);
  expect(check(4 + 2 ** -20, 0, { workers: 'one' })[0]?.[2]).toContain(
    'at least 4294968320 bytes, expected at most 4 GiB',
  );
});

test.each([
  ['nothing is said of a model that most likely fits', 0, 2.5, {}, []],
  ['a shared copy has the memory of all workers', 0, 3.5, { workers: 'shared' }, []],
  ['one worker has the memory of one unit', 0, 3, { workers: 'one' }, ['warning']],
  ['files that need not be loaded as a whole are no error', 0, 30, { workers: 'separate' }, ['warning']],
])('%s', (_what, pickle, others, davit, severities) => {
  expect(check(pickle, others, davit).map(([severity]) => severity)).toEqual(severities);
});

test("an environment's own hardware counts too, and a card has its own memory", () => {
  expect(check(1, 0, {}, [environment('4Gi', 'unit')])).toEqual([]);
  expect(check(1, 0, { workers: 'separate' }, [environment('2Gi', 'replica')])).toEqual([
    [
      'error',
      'memory-limit',
      'Cannot fit large 1 into the memory of a replica of CPU in environment "prod": each of 4 workers loads model.pkl, which takes at least 4 × 1 GiB = 4 GiB, expected at most 2 GiB',
      'Raise hardware.CPU.memory in environments/prod.yaml, or choose a smaller workload_size, or set davit.served_entities.m.workers: shared (one copy for all workers) or one (one worker)',
    ],
  ]);
  const endpoint = makeEndpoint('e', { m: 'large/1' });
  const subject = makeSubject(endpoint, { ...endpoint.entities[0]!, workloadType: 'GPU_SMALL' });
  expect(checkSize(subject, { bytes: 100 * GIBIBYTE, whole: undefined })).toEqual([]);
});

test('a model that is certainly too large is refused before its lock is looked at', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1' });
  const mlmodel = join(root, 'models/iris/1/MLmodel');
  await writeFile(mlmodel, (await readFile(mlmodel, 'utf8')).replaceAll('model.skops', 'model.pkl'));
  await rename(join(root, 'models/iris/1/model.skops'), join(root, 'models/iris/1/model.pkl'));
  const endpoint = makeEndpoint('e', { m: 'iris/1' });
  const small = { root, lock: undefined, environments: [environment('1Ki', 'replica')] };
  const { diagnostics, entities } = await validateEndpoint(endpoint, small);
  expect(diagnostics.map((d) => [d.severity, d.code])).toEqual([['error', 'memory-limit']]);
  expect(entities[0]?.stages.map((s) => s.name)).toEqual(['fetch', 'check']);
});

/** Files of these sizes, which take no place on the disk. */
async function makeFolder(sizes: Readonly<Record<string, number>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'davit-size-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await Promise.all(['code', 'data', 'artifacts'].map((name) => mkdir(join(folder, name))));
  for (const [path, bytes] of Object.entries(sizes)) {
    await writeFile(join(folder, path), '');
    await truncate(join(folder, path), bytes);
  }
  return folder;
}

test.each<[string, Readonly<Record<string, object>>, string | undefined, number]>([
  ['mlflow.sklearn', { sklearn: { pickled_model: 'model.pkl' } }, 'model.pkl', 5000],
  ['mlflow.sklearn', { python_function: { model_path: 'model.skops' } }, undefined, 0],
  ['mlflow.pyfunc.model', { python_function: { python_model: 'python_model.pkl' } }, 'python_model.pkl', 300],
  ['mlflow.pyfunc.model', { python_function: { python_model: 'model.py' } }, undefined, 0],
  ['mlflow.pyfunc.model', { python_function: { python_model: '../../../etc/passwd' } }, undefined, 0],
  ['mlflow.pytorch', { python_function: { data: 'data' } }, 'data/model.pth', 20],
  ['mlflow.xgboost', { python_function: { data: 'model.pkl' } }, undefined, 0],
])('measureModel() finds what %s certainly loads of %j', async (loader, flavors, path, bytes) => {
  const weights = { 'model.pkl': 5000, 'python_model.pkl': 300, 'data/model.pth': 20, 'artifacts/index': 4 };
  const folder = await makeFolder({ ...weights, 'code/train.py': 7, 'input_example.json': 9, 'model.py': 1 });
  const all = { ...flavors, python_function: { loader_module: loader, ...flavors['python_function'] } };
  expect(await measureModel({ folder, flavors: all })).toEqual({
    bytes: 5325,
    whole: path === undefined ? undefined : { path, bytes },
  });
});
