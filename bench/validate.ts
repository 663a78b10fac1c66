import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findUv } from '../python/find-uv.ts';
import { cacheFolder } from '../system/cache.ts';
import { type BenchProject, makeBenchProject } from './bench-project.ts';
import { type BenchContext, type Benchmark, type Figure, repeatWork, makeTimeFigures } from './benchmark.ts';
import { ensureMlflow, prependPath } from './ensure-mlflow.ts';
import { runTimed, type TimedRun } from './run-timed.ts';

const TIMES = 3;
/** Each run takes half a minute. */
const TIMES_NEW_ENVIRONMENT = 2;
const MODEL = join('models', 'iris', '2');

export const validate: Benchmark = {
  summary: 'proof of an unchanged model, and of a changed model whose virtualenv exists',
  note: [
    'Target: at most 1 s for an unchanged model, 8 s with its virtualenv kept. The peer is `mlflow models predict` on',
    'the same example, which checks no signature and keeps no result. “Kept” is its `--env-manager local`, which uses',
    'MLflow’s own environment instead of the model’s. “Made” is its `--env-manager uv`. Downloads are in uv’s cache on',
    'both sides.',
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

async function measureDavit(project: BenchProject, bench: BenchContext): Promise<readonly Figure[]> {
  const again = () => project.davit('validate', 'iris', '--json');
  bench.progress.say('davit validate once, not counted: it fills the caches …');
  const first = await again();
  const unchanged = await repeatWork(bench, { what: 'davit validate, unchanged', times: TIMES }, again);
  let proofs = readProofs(first.stdout);
  const kept = await repeatWork(bench, { what: 'davit validate, virtualenv kept', times: TIMES }, async () => {
    await Promise.all(proofs.map(({ key }) => rm(cacheFolder('proofs', `${key}.json`), { force: true })));
    const run = await again();
    proofs = readProofs(run.stdout);
    return run;
  });
  const uv = dirname(await findUv(bench));
  const fresh = await repeatWork(
    bench,
    { what: 'davit validate, virtualenv made', times: TIMES_NEW_ENVIRONMENT },
    (round) => {
      const cache = join(project.root, `cache-${round}`);
      return project.davitIn({ DAVIT_CACHE: cache, PATH: prependPath(uv) }, 'validate', 'iris', '--json');
    },
  );
  requireCached(unchanged, true);
  requireCached([...kept, ...fresh], false);
  return [
    ...makeTimeFigures('unchanged since its last proof', 'davit', unchanged),
    ...makeTimeFigures('proved again, environment kept', 'davit', kept),
    ...makeTimeFigures('proved, environment made', 'davit', fresh),
  ];
}

async function measureMlflow({ root }: BenchProject, bench: BenchContext): Promise<readonly Figure[]> {
  const mlflow = await ensureMlflow(bench);
  const options = {
    cwd: root,
    signal: bench.signal,
    env: { ...mlflow.env, MLFLOW_ENV_ROOT: join(root, 'mlflow-environments') },
  };
  const example = join(MODEL, 'serving_input_example.json');
  const predict = (manager: string) =>
    runTimed(
      mlflow.program,
      ['models', 'predict', '-m', MODEL, '-i', example, '-t', 'json', '--env-manager', manager],
      options,
    );
  bench.progress.say('mlflow models predict once, not counted: it compiles byte code …');
  await predict('local');
  const local = await repeatWork(bench, { what: 'mlflow models predict, local', times: TIMES }, () => predict('local'));
  const fresh = await repeatWork(bench, { what: 'mlflow models predict, uv', times: TIMES_NEW_ENVIRONMENT }, () =>
    predict('uv'),
  );
  return [
    ...makeTimeFigures('proved again, environment kept', 'mlflow', local),
    ...makeTimeFigures('proved, environment made', 'mlflow', fresh),
  ];
}

interface ProofSummary {
  readonly key: string;
  readonly cached: boolean;
}

/**
 * Fails if a proof was not found in the cache, or found unexpectedly. A proof is valid for one state of the model
 * server's files, so editing them during the benchmark would change what it measures.
 */
function requireCached(runs: readonly TimedRun[], expected: boolean): void {
  const others = runs.filter((run) => readProofs(run.stdout).some(({ cached }) => cached !== expected));
  if (others.length > 0)
    throw new Error(
      `Cannot compare: ${others.length} of ${runs.length} validations ${expected ? 'proved the model again' : 'found a proof in the cache'}; is someone editing runtime/?`,
    );
}

function readProofs(stdout: string): readonly ProofSummary[] {
  const { result } = JSON.parse(stdout) as {
    readonly result: {
      readonly endpoints: readonly {
        readonly entities: readonly {
          readonly proof?: { readonly key: string };
          readonly stages: readonly { readonly name: string; readonly cached: boolean }[];
        }[];
      }[];
    };
  };
  const entities = result.endpoints.flatMap((e) => e.entities);
  return entities.map(({ proof, stages }) => ({
    key: proof?.key ?? '',
    cached: stages.find((s) => s.name === 'proof')?.cached ?? false,
  }));
}
