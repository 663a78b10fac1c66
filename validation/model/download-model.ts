import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureVirtualenv } from '../../python/ensure-virtualenv.ts';
import { parseLockedRequirements } from '../../python/ensure-front-virtualenv.ts';
import { chooseMinorVersion } from '../../python/find-python.ts';
import type { PythonOptions } from '../../python/find-uv.ts';
import { makeError } from '../../schemas/diagnostic.ts';
import { makeFolderAtomically } from '../../system/atomic-files.ts';
import { cacheFolder, markUsed } from '../../system/cache.ts';
import { codePath } from '../../system/code.ts';
import { withFileLock } from '../../system/locks/file-lock.ts';
import { SILENT, withProgress } from '../../system/progress.ts';
import { runProcess } from '../../system/run-process.ts';
import { makeTemporaryFolder } from '../../system/temporary-folder.ts';
import { makeDownloadEnvironment } from './download-environment.ts';
import { explainDownloadFailure } from './explain-download.ts';
import type { FetchedModel } from './fetched-model.ts';
import { maskSecrets } from './mask-secrets.ts';
import {
  allowTypedUri,
  checkModelUri,
  type ModelSources,
  readModelSources,
  type Refusal,
  type SourceKind,
} from './model-sources.ts';
import type { Subject } from '../subject.ts';

/** mlflow-skinny and boto3 with hashes, written by `uv pip compile --generate-hashes`. */
const REQUIREMENTS = codePath('validation', 'model', 'download-requirements.txt');
const PROGRAM = codePath('validation', 'model', 'download_model.py');
const DOWNLOAD_LIMIT_SECONDS = 3600;
/** Python versions for which every package above has a wheel. */
const SUPPORTED_PYTHONS = ['3.12', '3.11', '3.13'];

interface Source {
  readonly uri: string;
  readonly kind: SourceKind;
  readonly sources: ModelSources;
}

/**
 * Downloads a model by its MLflow URI into the cache, once. Refuses a URI whose version can change (alias, latest), and
 * a source that the environment does not allow, even if the cache has the model.
 */
export async function downloadModel(
  subject: Subject,
  { uri, folder }: { readonly uri: string; readonly folder: string },
  options: PythonOptions,
): Promise<FetchedModel> {
  const allowed = readModelSources();
  const sources = subject.alone ? allowTypedUri(allowed, uri) : allowed;
  const kind = checkModelUri(uri, sources);
  if (typeof kind !== 'string') return refuse(subject, uri, kind);
  const wrong = checkVersion(uri);
  if (wrong) return refuse(subject, uri, wrong);
  if (kind === 'tracking' && sources.tracking === undefined)
    return refuse(subject, uri, {
      why: 'MLFLOW_TRACKING_URI is not set',
      hint: 'Set it to the address of your MLflow server',
    });
  const source = { uri, kind, sources };
  const moving = await refuseMovingVersion(subject, source, options);
  if (moving) return moving;
  const there = await stat(join(folder, 'MLmodel')).catch(() => undefined);
  if (there) {
    await markUsed(folder);
    return { folder, diagnostics: [] };
  }
  return withFileLock(
    `${folder}.lock`,
    async () => {
      const again = await stat(join(folder, 'MLmodel')).catch(() => undefined);
      return again ? { folder, diagnostics: [] } : download(subject, source, folder, options);
    },
    { ...options, what: 'downloading the same model' },
  );
}

function checkVersion(uri: string): Refusal | undefined {
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
  source: Source,
  options: PythonOptions,
): Promise<FetchedModel | undefined> {
  const { uri } = source;
  const [, name, target] = /^models:\/{1,3}(.+?)(?:@|\/)([^/@]+)$/.exec(uri) ?? [];
  if (name === undefined || target === undefined || /^\d+$/.test(target)) return undefined;
  const run = await runProgram(source, '--resolve', [], options);
  const version = run.code === 0 ? (/^\d+$/.exec(run.stdout.trim())?.[0] ?? '') : '';
  const hint = version ? `Write models:/${name}/${version}, its current version` : `Write models:/${name}/VERSION`;
  return refuse(subject, uri, {
    why: `"${target}" can point to another version later, expected a version number`,
    hint,
  });
}

async function download(
  subject: Subject,
  source: Source,
  folder: string,
  options: PythonOptions,
): Promise<FetchedModel> {
  const shown = maskSecrets(source.uri);
  const failure: { reason: Refusal | undefined } = { reason: undefined };
  await mkdir(cacheFolder('models'), { recursive: true });
  try {
    await withProgress(options.progress ?? SILENT, `Downloading ${subject.label} (${shown})`, () =>
      makeFolderAtomically(folder, async (fresh) => {
        const run = await runProgram(source, '--download', [fresh], options);
        if (run.code === 0) return;
        failure.reason = explainDownloadFailure(run, DOWNLOAD_LIMIT_SECONDS);
        throw new Error(`Cannot download ${shown}`);
      }),
    );
  } catch (e) {
    if (failure.reason === undefined) throw e;
    return refuse(subject, source.uri, failure.reason);
  }
  return { folder, diagnostics: [] };
}

/** Runs in an empty folder, because MLflow makes a database in the current one. */
async function runProgram(
  { uri, kind, sources }: Source,
  action: '--download' | '--resolve',
  rest: readonly string[],
  options: PythonOptions,
) {
  const packages = parseLockedRequirements(await readFile(REQUIREMENTS, 'utf8'));
  const python = await chooseMinorVersion(SUPPORTED_PYTHONS);
  const virtualenv = await ensureVirtualenv({ python, platform: 'here', packages }, options);
  const policy = JSON.stringify({ sources: sources.allowed });
  const home = makeTemporaryFolder('download');
  try {
    return await runProcess(virtualenv.python, ['-s', PROGRAM, action, policy, uri, ...rest], {
      cwd: home,
      env: { ...makeDownloadEnvironment(kind, uri, { home }), PYTHONPYCACHEPREFIX: virtualenv.pycache },
      limitSeconds: DOWNLOAD_LIMIT_SECONDS,
      ...(options.signal && { signal: options.signal }),
    });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

function refuse(subject: Subject, uri: string, { why, hint }: Refusal): FetchedModel {
  const message = `Cannot fetch ${subject.label} from "${maskSecrets(uri)}": ${maskSecrets(why)}`;
  return { folder: undefined, diagnostics: [makeError('model-not-found', subject.entity.place, message, hint)] };
}
