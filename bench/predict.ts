import { dirname, join } from 'node:path';
import { findUv } from '../python/find-uv.ts';
import { type BenchProject, makeBenchProject } from './bench-project.ts';
import { type BenchContext, type Benchmark, type Figure, makeTimeFigures, repeatWork } from './benchmark.ts';
import { ensureMlflow, prependPath } from './ensure-mlflow.ts';
import { runTimed, type TimedRun } from './run-timed.ts';
import { readErrorMessage } from '../schemas/values/read-error-message.ts';

const TIMES = 3;
/** MLflow's default builds Python from its sources with pyenv and installs with pip, which takes minutes. */
const TIMES_DEFAULT = 1;
const MODEL = join('models', 'iris', '2');
const EXAMPLE = join(MODEL, 'serving_input_example.json');
const ARGUMENTS = ['-m', MODEL, '-i', EXAMPLE, '-t', 'json'];

const FIRST = 'first prediction, environment made';
const AGAIN = 'next prediction, environment kept';

export const predict: Benchmark = {
  summary: 'a prediction with a model in its own environment: davit predict and mlflow models predict',
  note: [
    'The peer is `mlflow models predict` with `--env-manager uv` and with its default, virtualenv, which needs pyenv and builds',
    'Python from the sources of python.org; without them it is left out. For each first prediction both sides have a new folder for',
    'their environments. The caches of downloads are filled by a run that is not counted.',
  ].join('\n'),
  run: async (bench) => {
    const project = await makeBenchProject(bench);
    try {
      return [...(await measureDavit(project, bench)), ...(await measureMlflow(project, bench))];
    } finally {
      await project.remove();
    }
  },
};

async function measureDavit({ root, davitIn }: BenchProject, bench: BenchContext): Promise<readonly Figure[]> {
  const uv = dirname(await findUv(bench));
  const predictIn = (cache: string) =>
    davitIn({ DAVIT_CACHE: join(root, cache), PATH: prependPath(uv) }, 'predict', ...ARGUMENTS);
  bench.progress.say('davit predict once, not counted: it fills the cache of downloads …');
  await predictIn('cache');
  const first = await repeatWork(bench, { what: 'davit predict, first', times: TIMES }, (round) =>
    predictIn(`cache-${round}`),
  );
  const again = await repeatWork(bench, { what: 'davit predict, again', times: TIMES }, () => predictIn('cache'));
  return [...makeTimeFigures(FIRST, 'davit', first), ...makeTimeFigures(AGAIN, 'davit', again)];
}

async function measureMlflow({ root }: BenchProject, bench: BenchContext): Promise<readonly Figure[]> {
  const mlflow = await ensureMlflow(bench);
  const predictWith = (manager: readonly string[], environments: string) =>
    runTimed(mlflow.program, ['models', 'predict', ...ARGUMENTS, ...manager], {
      cwd: root,
      signal: bench.signal,
      env: { ...mlflow.env, MLFLOW_ENV_ROOT: join(root, environments) },
    });
  const uv = ['--env-manager', 'uv'];
  bench.progress.say('mlflow models predict once, not counted: it fills the cache of downloads …');
  await predictWith(uv, 'mlflow-uv');
  const first = await repeatWork(bench, { what: 'mlflow models predict with uv, first', times: TIMES }, (round) =>
    predictWith(uv, `mlflow-uv-${round}`),
  );
  const again = await repeatWork(bench, { what: 'mlflow models predict with uv, again', times: TIMES }, () =>
    predictWith(uv, 'mlflow-uv'),
  );
  return [
    ...makeTimeFigures(FIRST, 'mlflow with uv', first),
    ...makeTimeFigures(AGAIN, 'mlflow with uv', again),
    ...(await measureDefault(bench, () => predictWith([], 'mlflow-default'))),
  ];
}

/** Needs the sources of Python from python.org, so it is left out where they cannot be downloaded. */
async function measureDefault(bench: BenchContext, predictOnce: () => Promise<TimedRun>): Promise<readonly Figure[]> {
  try {
    const made = await repeatWork(bench, { what: 'mlflow models predict, first', times: TIMES_DEFAULT }, predictOnce);
    const kept = await repeatWork(bench, { what: 'mlflow models predict, again', times: TIMES_DEFAULT }, predictOnce);
    return [...makeTimeFigures(FIRST, 'mlflow, default', made), ...makeTimeFigures(AGAIN, 'mlflow, default', kept)];
  } catch (e) {
    bench.signal.throwIfAborted();
    bench.progress.say(`The default of mlflow models predict is left out: ${readErrorMessage(e).split('\n')[0] ?? ''}`);
    return [];
  }
}
