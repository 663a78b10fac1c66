import { createHash } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../system/cache.ts';
import { makeChildEnvironment, runProcess } from '../../system/run-process.ts';
import { makePythonPackages } from '../helpers/python-packages.ts';
import { type EnvironmentName, ENVIRONMENTS, type ModelKind } from './model-kinds.ts';

/** A model directory to try, or why there is none. */
export interface MadeModel {
  readonly name: string;
  readonly kind: ModelKind | undefined;
  readonly folder: string;
  /** The last lines of what making it has printed. */
  readonly error?: string;
}

const MAKERS = join(import.meta.dirname, 'make');
const LIMIT_SECONDS = 3600;

/** Makes the models of one virtualenv that are not in the cache. */
export async function makeModels(name: EnvironmentName, kinds: readonly ModelKind[]): Promise<readonly MadeModel[]> {
  const { packages, python: minor } = ENVIRONMENTS[name];
  const python = await makePythonPackages({ name: `models-${name}-1`, packages, imports: 'mlflow', python: minor });
  const folder = await locateModels(python);
  const missing: ModelKind[] = [];
  for (const kind of kinds) if (!(await isMade(join(folder, kind.name)))) missing.push(kind);
  const errors = missing.length === 0 ? {} : await makeMissing(python, folder, missing);
  return kinds.map((kind) => {
    const error = errors[kind.name];
    return { name: kind.name, kind, folder: join(folder, kind.name), ...(error !== undefined && { error }) };
  });
}

async function makeMissing(
  python: string,
  folder: string,
  kinds: readonly ModelKind[],
): Promise<Readonly<Record<string, string>>> {
  const fresh = `${folder}-fresh-${process.pid}`;
  const errors = await runMaker(python, fresh, kinds.map(({ module, name }) => `${module}.${name}`)); // prettier-ignore
  await mkdir(folder, { recursive: true });
  for (const { name } of kinds) {
    await rm(join(folder, name), { recursive: true, force: true });
    if (errors[name] === undefined) await rename(join(fresh, name), join(folder, name));
  }
  await rm(fresh, { recursive: true, force: true });
  return errors;
}

/** Makes models below a folder: `pyfuncs.tensor` is FOLDER/tensor. Returns the errors by name. */
export async function runMaker(
  python: string,
  folder: string,
  wanted: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const env = makeChildEnvironment({ MLFLOW_DISABLE_TELEMETRY: 'true', PYTHONWARNINGS: 'ignore' });
  const options = { env, limitSeconds: LIMIT_SECONDS };
  const { code, stdout, stderr } = await runProcess(python, [join(MAKERS, 'make.py'), folder, ...wanted], options);
  if (code !== 0) throw new Error(`Cannot make the models ${wanted.join(', ')}\n${stderr.slice(-2000)}`);
  return JSON.parse(stdout) as Readonly<Record<string, string>>;
}

/** The folder of all models of one virtualenv, by the content of the programs that make them. */
async function locateModels(python: string): Promise<string> {
  const hash = createHash('sha256').update(python);
  for (const file of (await readdir(MAKERS)).filter((f) => f.endsWith('.py')).sort())
    hash.update(await readFile(join(MAKERS, file)));
  return cacheFolder('test', 'models', hash.digest('hex').slice(0, 16));
}

function isMade(folder: string): Promise<boolean> {
  return access(join(folder, 'MLmodel')).then(
    () => true,
    () => false,
  );
}
