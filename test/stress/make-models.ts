import { createHash } from 'node:crypto';
import { access, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../system/cache.ts';
import { makeChildEnvironment, runProcess } from '../../system/run-process.ts';
import { stressPython } from './environments.ts';
import type { StressModelKind } from './model-kinds.ts';
import type { Service } from './start-service.ts';

/** A saved model, ready to be served. */
export interface StressModel {
  readonly kind: StressModelKind;
  readonly python: string;
  readonly requests: number;
  /** The MLflow model directory. */
  readonly model: string;
  /** The file of MLflow's answers. */
  readonly answers: string;
}

const SOURCES = import.meta.dirname;
/** For each model. */
const LIMIT_SECONDS = 600;
/** What make.py prints for each model, between lines of MLflow. */
const OUTCOME = /^[a-z]+\/\w+: (?:made|cannot be made)/;

interface MakeOptions {
  readonly requests: number;
  readonly service: Service;
  /** Gets a sentence for each model that is made. */
  readonly report?: (sentence: string) => void;
}

/** Makes the models that are not in the cache yet, with MLflow's answers. */
export async function makeModels(
  kinds: readonly StressModelKind[],
  options: MakeOptions,
): Promise<readonly StressModel[]> {
  const models: StressModel[] = [];
  for (const environment of new Set(kinds.map((k) => k.environment))) {
    const python = await stressPython(environment);
    const planned = await Promise.all(
      kinds
        .filter((k) => k.environment === environment)
        .map((kind) => planModel(kind, { requests: options.requests, python })),
    );
    await makeMissingModels(planned, python, options);
    models.push(...planned);
  }
  return models;
}

async function makeMissingModels(
  planned: readonly StressModel[],
  python: string,
  { service, report }: MakeOptions,
): Promise<void> {
  const missing = (await Promise.all(planned.map(async (m) => ((await fileExists(m.answers)) ? [] : [m])))).flat();
  if (missing.length === 0) return;
  const fresh = cacheFolder('test', 'stress', `fresh-${process.pid}`);
  const wanted = missing.map(({ kind, requests }) => `${kind.folder}/${kind.name}=${kind.isDistinct ? 1 : requests}`);
  const env = makeChildEnvironment({ ...service.env, OMP_NUM_THREADS: '1', PYTHONWARNINGS: 'ignore' });
  const made = await runProcess(python, [join(SOURCES, 'make.py'), fresh, ...wanted], {
    env,
    limitSeconds: LIMIT_SECONDS * missing.length,
    onLine: (line) => OUTCOME.test(line) && report?.(line),
  });
  for (const { kind, model } of missing) {
    if (!(await fileExists(join(fresh, kind.folder, kind.name, 'answers.json')))) continue;
    await rm(join(model, '..'), { recursive: true, force: true });
    await rename(join(fresh, kind.folder, kind.name), join(model, '..'));
  }
  await rm(fresh, { recursive: true, force: true });
  const why = made.timedOut ? 'it took too long' : made.stderr.slice(-2000);
  if (made.code !== 0) throw new Error(`Cannot make the models ${wanted.join(', ')}: ${why}`);
}

/** Names a model's folder by its content: source, number of requests and packages. */
async function planModel(
  kind: StressModelKind,
  { requests, python }: { readonly requests: number; readonly python: string },
): Promise<StressModel> {
  const count = Math.min(requests, kind.most ?? requests);
  const hash = createHash('sha256').update(`${python}\0${count}\0`);
  for (const file of [`models/${kind.folder}/${kind.name}.py`, 'make.py', 'questions.py'])
    hash.update(await readFile(join(SOURCES, file)));
  const folder = cacheFolder('test', 'stress', `${kind.name}-${hash.digest('hex').slice(0, 16)}`);
  return { kind, python, requests: count, model: join(folder, 'model'), answers: join(folder, 'answers.json') };
}

async function fileExists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
