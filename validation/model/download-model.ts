import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureVirtualenv } from '../../python/ensure-virtualenv.ts';
import { parseLockedRequirements } from '../../python/ensure-front-virtualenv.ts';
import { chooseMinorVersion } from '../../python/find-python.ts';
import type { PythonOptions } from '../../python/find-uv.ts';
import { makeError } from '../../schemas/diagnostic.ts';
import { makeFolderAtomically } from '../../system/atomic-files.ts';
import { cacheFolder } from '../../system/cache.ts';
import { codePath } from '../../system/code.ts';
import { withFileLock } from '../../system/file-lock.ts';
import { SILENT, withProgress } from '../../system/progress.ts';
import { makeChildEnvironment, runProcess } from '../../system/run-process.ts';
import type { FetchedModel } from './fetched-model.ts';
import { maskSecrets } from './mask-secrets.ts';
import type { Subject } from '../subject.ts';

/** mlflow-skinny and boto3 with hashes, written by `uv pip compile --generate-hashes`. */
const REQUIREMENTS = codePath('validation', 'model', 'download-requirements.txt');
const PROGRAM = codePath('validation', 'model', 'download_model.py');
const DOWNLOAD_LIMIT_SECONDS = 3600;
/** Python versions for which every package above has a wheel. */
const SUPPORTED_PYTHONS = ['3.12', '3.11', '3.13'];

/** Downloads a model by its MLflow URI into the cache, once. Refuses a URI whose version can change (alias, latest). */
export async function downloadModel(
  subject: Subject,
  { uri, folder }: { readonly uri: string; readonly folder: string },
  options: PythonOptions,
): Promise<FetchedModel> {
  const wrong = checkUri(uri);
  if (wrong) return refuse(subject, uri, wrong.why, wrong.hint);
  const tracking = process.env['MLFLOW_TRACKING_URI'];
  if (/^(models|runs|mlflow-artifacts):/.test(uri) && !tracking)
    return refuse(subject, uri, 'MLFLOW_TRACKING_URI is not set', 'Set it to the address of your MLflow server');
  const moving = await refuseMovingVersion(subject, uri, options);
  if (moving) return moving;
  const there = await stat(join(folder, 'MLmodel')).catch(() => undefined);
  if (there) return { folder, diagnostics: [] };
  return withFileLock(
    `${folder}.lock`,
    async () => {
      const again = await stat(join(folder, 'MLmodel')).catch(() => undefined);
      return again ? { folder, diagnostics: [] } : download(subject, uri, folder, options);
    },
    { ...options, what: 'downloading the same model' },
  );
}

function checkUri(uri: string): { readonly why: string; readonly hint: string } | undefined {
  const single = /^models:\/{1,3}([^/@]+)$/.exec(uri)?.[1];
  if (single !== undefined && !single.startsWith('m-'))
    return { why: 'it has no version', hint: `Write models:/${single}/VERSION` };
  return undefined;
}

/**
 * Refuses `models:/NAME@ALIAS`, `/NAME/latest` and `/NAME/STAGE`, because the reviewed model must be the one that runs.
 */
async function refuseMovingVersion(
  subject: Subject,
  uri: string,
  options: PythonOptions,
): Promise<FetchedModel | undefined> {
  const [, name, target] = /^models:\/{1,3}(.+?)(?:@|\/)([^/@]+)$/.exec(uri) ?? [];
  if (name === undefined || target === undefined || /^\d+$/.test(target)) return undefined;
  const run = await runProgram(['--resolve', uri], options);
  const version = run.code === 0 ? run.stdout.trim() : '';
  const hint = version ? `Write models:/${name}/${version}, its current version` : `Write models:/${name}/VERSION`;
  return refuse(subject, uri, `"${target}" can point to another version later, expected a version number`, hint);
}

async function download(subject: Subject, uri: string, folder: string, options: PythonOptions): Promise<FetchedModel> {
  const failure = { message: '' };
  await mkdir(cacheFolder('models'), { recursive: true });
  try {
    await withProgress(options.progress ?? SILENT, `Downloading ${subject.label} (${maskSecrets(uri)})`, () =>
      makeFolderAtomically(folder, async (fresh) => {
        const run = await runProgram(['--download', uri, fresh], options);
        if (run.code === 0) return;
        failure.message = run.timedOut ? `it took longer than ${DOWNLOAD_LIMIT_SECONDS} s` : lastLine(run.stderr);
        throw new Error(`Cannot download ${maskSecrets(uri)}`);
      }),
    );
  } catch (e) {
    if (failure.message === '') throw e;
    return refuse(subject, uri, failure.message, 'Check the URI, MLFLOW_TRACKING_URI and your credentials for it');
  }
  return { folder, diagnostics: [] };
}

async function runProgram(args: readonly string[], options: PythonOptions) {
  const packages = parseLockedRequirements(await readFile(REQUIREMENTS, 'utf8'));
  const python = await chooseMinorVersion(SUPPORTED_PYTHONS);
  const virtualenv = await ensureVirtualenv({ python, platform: 'here', packages }, options);
  return runProcess(virtualenv.python, [PROGRAM, ...args], {
    env: makeChildEnvironment({
      PYTHONPYCACHEPREFIX: virtualenv.pycache,
      MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR: 'false',
    }),
    limitSeconds: DOWNLOAD_LIMIT_SECONDS,
    ...(options.signal && { signal: options.signal }),
  });
}

function refuse(subject: Subject, uri: string, why: string, hint: string): FetchedModel {
  const message = `Cannot fetch ${subject.label} from "${maskSecrets(uri)}": ${maskSecrets(why)}`;
  return { folder: undefined, diagnostics: [makeError('model-not-found', subject.entity.place, message, hint)] };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? 'unknown cause';
}
