import { appendFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { machineConcurrency, mapConcurrent } from '../system/map-concurrent.ts';
import { type BenchProject, makeBenchProject } from './bench-project.ts';
import { type BenchContext, type Benchmark, type Figure, makeTimeFigures, repeatWork } from './benchmark.ts';
import { ensureMlflow } from './ensure-mlflow.ts';
import { runTimed, type TimedRun } from './run-timed.ts';

const TIMES = 3;
const MODEL = join('models', 'iris', '2');
const ENDPOINT = join('endpoints', 'iris.yaml');
const COPIES = 10;
/** A small package that the example does not need. Each version makes another set of requirements. */
const ADDED = ['six==1.15.0', 'six==1.16.0', 'six==1.17.0'];
const SIDE = 'davit';
const COMPARED = 'review, compared with the base';
const COPIED = `${COPIES} endpoints, same requirements`;

export const changes: Benchmark = {
  summary: 'proof of a changed model: new bytes, new requirements, ten models, and compared with the base branch',
  note: [
    'Targets: new bytes with the same requirements at most 6 s and twice the peer, new requirements whose packages are',
    'downloaded at most 10 s, the check of one model without running it at most 150 ms, ten models with the same requirements',
    'at most twice one, a review that compares with the version of the base branch at most 1.5 times one proof (× one: the',
    'rounds divided by those with new bytes). The peer is the least that can be done: Python that imports MLflow, loads the',
    'model and predicts its example; for a comparison two at once, for ten models ten, as many at once as Davit proves.',
  ].join('\n'),
  run: async (bench) => {
    const project = await makeBenchProject(bench);
    try {
      const one = await measureBytes(project, bench);
      const floor = await prepareFloor(project, bench);
      return [
        ...makeTimeFigures('new bytes, same requirements', SIDE, one),
        ...(await floor('new bytes, same requirements', { models: 1, atOnce: 1 })),
        { what: 'check before it runs', unit: 'wall ms', side: SIDE, values: one.map(readCheckMilliseconds) },
        ...makeTimeFigures('new requirements, downloaded', SIDE, await measureRequirements(project, bench)),
        ...makeMultipleFigures(COMPARED, { runs: await measureComparison(project, bench), one }),
        ...(await floor(COMPARED, { models: 2, atOnce: 2 })),
        ...makeMultipleFigures(COPIED, { runs: await measureCopies(project, bench), one }),
        ...(await floor(COPIED, { models: COPIES, atOnce: machineConcurrency() })),
      ];
    } finally {
      await project.remove();
    }
  },
};

async function measureBytes(project: BenchProject, bench: BenchContext): Promise<readonly TimedRun[]> {
  bench.progress.say('davit validate once, not counted: it fills the caches …');
  await project.davit('validate', '--model', MODEL, '--json');
  return repeatWork(bench, { what: 'davit validate, new bytes', times: TIMES }, async (round) =>
    project.davit('validate', '--model', await copyModel(project, `bytes-${round}`), '--json'),
  );
}

/** The time of several runs, and how many times as long as one proof each took. */
function makeMultipleFigures(
  what: string,
  { runs, one }: Readonly<Record<'runs' | 'one', readonly TimedRun[]>>,
): readonly Figure[] {
  const divide = (read: (run: TimedRun) => number) =>
    runs.flatMap((run, i) => one.slice(i, i + 1).map((proof) => read(run) / read(proof)));
  return [
    ...makeTimeFigures(what, SIDE, runs),
    { what, unit: '× one, wall', side: SIDE, values: divide((run) => run.wallSeconds) },
    { what, unit: '× one, CPU', side: SIDE, values: divide((run) => run.cpuSeconds) },
  ];
}

interface FloorWork {
  readonly models: number;
  /** How many Pythons run at the same time. */
  readonly atOnce: number;
}

/** Prepares the peer. Returns a function that measures how long it takes for several models. */
async function prepareFloor(
  { root }: BenchProject,
  bench: BenchContext,
): Promise<(what: string, work: FloorWork) => Promise<readonly Figure[]>> {
  const { program, env } = await ensureMlflow(bench);
  const python = join(dirname(program), 'python');
  const code = [
    'import mlflow.pyfunc',
    `model = mlflow.pyfunc.load_model(${JSON.stringify(MODEL)})`,
    'print(model.predict(model.input_example))',
  ].join('\n');
  const predict = () => runTimed(python, ['-c', code], { cwd: root, signal: bench.signal, env });
  bench.progress.say('The peer once, not counted: it compiles byte code …');
  await predict();
  return async (what, { models, atOnce }) => {
    const runs = await repeatWork(bench, { what: `load and predict, ${models} times`, times: TIMES }, async () => {
      const started = performance.now();
      const each = await mapConcurrent(Array.from({ length: models }), atOnce, predict);
      const cpuSeconds = each.reduce((sum, run) => sum + run.cpuSeconds, 0);
      return { wallSeconds: (performance.now() - started) / 1000, cpuSeconds, stdout: '' };
    });
    return makeTimeFigures(what, 'python', runs);
  };
}

async function measureRequirements(project: BenchProject, bench: BenchContext): Promise<readonly TimedRun[]> {
  const models = await Promise.all(
    ADDED.map(async (requirement) => {
      const model = await copyModel(project, `requirements-${requirement}`);
      await appendFile(join(project.root, model, 'requirements.txt'), `\n${requirement}\n`);
      return model;
    }),
  );
  const validate = (model: string, env: NodeJS.ProcessEnv = {}) =>
    project.davitIn(env, 'validate', '--model', model, '--json');
  bench.progress.say('davit validate with other caches, not counted: it downloads the packages …');
  for (const model of models) await validate(model, { DAVIT_CACHE: join(project.root, 'cache') });
  return repeatWork(bench, { what: 'davit validate, new requirements', times: models.length }, (round) =>
    validate(models[round] ?? MODEL),
  );
}

/** Each review has a new version of the model, so it proves it. What the base branch declares is the same each time. */
async function measureComparison(project: BenchProject, bench: BenchContext): Promise<readonly TimedRun[]> {
  const { root } = project;
  const git = (...args: readonly string[]) =>
    runTimed('git', [...IDENTITY, ...args], { cwd: root, signal: bench.signal });
  await writeFile(join(root, '.gitignore'), '.davit\ncache\n');
  await git('init', '--quiet', '--initial-branch', 'main');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'base');
  const endpoint = await readFile(join(root, ENDPOINT), 'utf8');
  const runs = await repeatWork(bench, { what: 'davit review, new bytes', times: TIMES }, async (round) => {
    const version = `review-${round}`;
    await copyModel(project, version);
    await writeFile(join(root, ENDPOINT), endpoint.replace('entity_version: "2"', `entity_version: "${version}"`));
    await project.davit('lock', 'iris', '--quiet');
    return project.davit('review', '--base', 'main', '--stage', 'validate', '--json');
  });
  await git('checkout', '--quiet', '.');
  return runs;
}

async function measureCopies(project: BenchProject, bench: BenchContext): Promise<readonly TimedRun[]> {
  const { root } = project;
  const names = Array.from({ length: COPIES }, (_, i) => `copy-${i}`);
  const endpoint = await readFile(join(root, ENDPOINT), 'utf8');
  return repeatWork(bench, { what: `davit validate, ${COPIES} endpoints`, times: TIMES }, async (round) => {
    for (const name of names) {
      const version = `${name}-${round}`;
      await copyModel(project, version);
      const copy = endpoint.replace('name: iris', `name: ${name}`).replace('"2"', `"${version}"`);
      await writeFile(join(root, 'endpoints', `${name}.yaml`), copy);
    }
    await project.davit('lock', ...names, '--quiet');
    return project.davit('validate', ...names, '--json');
  });
}

const IDENTITY = ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost', '-c', 'commit.gpgsign=false'];

/** Copies the example model with one more file, so that nothing that is kept for its bytes is valid for the copy. */
async function copyModel({ root }: BenchProject, version: string): Promise<string> {
  const folder = join('models', 'iris', version);
  await rm(join(root, folder), { recursive: true, force: true });
  await cp(join(root, MODEL), join(root, folder), { recursive: true });
  await writeFile(join(root, folder, 'note.txt'), `${version} ${crypto.randomUUID()}\n`);
  return folder;
}

function readCheckMilliseconds({ stdout }: TimedRun): number {
  const { result } = JSON.parse(stdout) as {
    readonly result: {
      readonly endpoints: readonly {
        readonly entities: readonly {
          readonly stages: readonly { readonly name: string; readonly seconds: number }[];
        }[];
      }[];
    };
  };
  const stages = result.endpoints.flatMap((e) => e.entities).flatMap((e) => e.stages);
  const check = stages.find((s) => s.name === 'check');
  if (!check) throw new Error('Cannot measure: davit validate --json names no stage "check"');
  return check.seconds * 1000;
}
