import { dirname, join } from 'node:path';
import { findUv } from '../python/find-uv.ts';
import { type BenchProject, makeBenchProject } from './bench-project.ts';
import { type BenchContext, type Benchmark, type Figure, makeTimeFigures, repeatWork } from './benchmark.ts';
import { ensureMlflow, prependPath } from './ensure-mlflow.ts';
import { runTimed } from './run-timed.ts';

const TIMES = 3;
/** MLflow's default makes a virtualenv with pip, which takes minutes. */
const TIMES_DEFAULT = 1;
const MODEL = join('models', 'iris', '2');
const EXAMPLE = join(MODEL, 'serving_input_example.json');
const ARGUMENTS = ['-m', MODEL, '-i', EXAMPLE, '-t', 'json'];

const FIRST = 'first prediction, environment made';
const AGAIN = 'next prediction, environment kept';

export const predict: Benchmark = {
  summary: 'a prediction with a model in its own environment: davit predict and mlflow models predict',
  note: [
    'The peer is `mlflow models predict` with `--env-manager uv` and with its default, virtualenv. It makes its environment in',
    'a folder of its own for each first prediction, as Davit does in a cache of its own, and keeps it for the next ones. Downloads',
    'are in the caches of uv and pip on both sides after the first run, which is not counted.',
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
  const made = await repeatWork(bench, { what: 'mlflow models predict, first', times: TIMES_DEFAULT }, () =>
    predictWith([], 'mlflow-default'),
  );
  const kept = await repeatWork(bench, { what: 'mlflow models predict, again', times: TIMES }, () =>
    predictWith([], 'mlflow-default'),
  );
  return [
    ...makeTimeFigures(FIRST, 'mlflow with uv', first),
    ...makeTimeFigures(AGAIN, 'mlflow with uv', again),
    ...makeTimeFigures(FIRST, 'mlflow, default', made),
    ...makeTimeFigures(AGAIN, 'mlflow, default', kept),
  ];
}
