import { readFile, rm } from 'node:fs/promises';
import { parseLockedRequirements } from '../../python/ensure-front-virtualenv.ts';
import { ensureVirtualenv } from '../../python/ensure-virtualenv.ts';
import { chooseMinorVersion } from '../../python/find-python.ts';
import type { PythonOptions } from '../../python/find-uv.ts';
import { renderBytes } from '../../schemas/values/quantity.ts';
import { codePath } from '../../system/code.ts';
import { SILENT } from '../../system/progress.ts';
import { type ProcessResult, runProcess } from '../../system/run-process.ts';
import { makeTemporaryFolder } from '../../system/temporary-folder.ts';
import { makeDownloadEnvironment } from './download-environment.ts';
import type { RegistryConnection } from './choose-registry.ts';
import { chooseStore, findMissingStore, locateStoreRequirements, type Store } from './downloads/stores.ts';
import type { SourceKind } from './model-sources.ts';

/** mlflow-skinny and boto3 with hashes, written by `uv pip compile --generate-hashes`. */
const REQUIREMENTS = codePath('validation', 'model', 'download-requirements.txt');
const PROGRAM = codePath('validation', 'model', 'download_model.py');
/** To resolve a version needs a few short requests. */
export const LIMIT_SECONDS = { '--find': 120, '--card': 60, '--download': 3600 } as const;
/**
 * MLflow tries each request eight times, for four minutes in all, before it says that a server cannot be reached. The
 * user's own number counts.
 */
const FIND_VARIABLES = { MLFLOW_HTTP_REQUEST_MAX_RETRIES: '3' };
/** A review does without the registry, so a card is worth no second attempt, whatever the user sets for downloads. */
const CARD_VARIABLES = { MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0', MLFLOW_HTTP_REQUEST_TIMEOUT: '10' };
/** Python versions for which every package above has a wheel. */
const SUPPORTED_PYTHONS = ['3.12', '3.11', '3.13'];
const PROGRESS_LINE = /^progress: (\d{1,16}) (\d{1,16})$/;

/** What to download, and what the program may know and query for that. */
export interface DownloadSource {
  readonly uri: string;
  readonly kind: SourceKind;
  /** DAVIT_MODEL_SOURCES, and what the user has typed. */
  readonly allowed: readonly string[];
  /** Undefined: the source is in no registry. */
  readonly connection: RegistryConnection | undefined;
}

/** Asks the registry for the version, or for what reviewers want to know of it, or downloads its files into `folder`. */
export interface DownloadTask {
  readonly action: keyof typeof LIMIT_SECONDS;
  readonly folder?: string;
  /** The name in progress lines. */
  readonly label: string;
}

/** Runs the program that downloads, with the packages of Google's or Azure's store where the files are in one. */
export async function runDownload(
  source: DownloadSource,
  task: DownloadTask,
  options: PythonOptions,
): Promise<ProcessResult> {
  const store = chooseStore(source.kind);
  const run = await runProgram(source, task, { ...options, store });
  // A registry has answered with a location in such a store.
  const missing = run.code === 0 || store !== undefined ? undefined : findMissingStore(run.stderr);
  return missing === undefined ? run : runProgram(source, task, { ...options, store: missing });
}

/** The program runs in an empty folder, because MLflow makes a database in the current one. */
async function runProgram(
  source: DownloadSource,
  { action, folder, label }: DownloadTask,
  { store, ...options }: PythonOptions & { readonly store: Store | undefined },
): Promise<ProcessResult> {
  const { uri, kind, connection } = source;
  const files = [REQUIREMENTS, ...(store === undefined ? [] : [locateStoreRequirements(store)])];
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  const packages = parseLockedRequirements(texts.join('\n'));
  const python = await chooseMinorVersion(SUPPORTED_PYTHONS);
  const virtualenv = await ensureVirtualenv({ python, platform: 'here', packages }, options);
  const home = makeTemporaryFolder('download');
  const { progress = SILENT } = options;
  const args = ['-s', PROGRAM, action, JSON.stringify(makePolicy(source)), uri, ...(folder === undefined ? [] : [folder])]; // prettier-ignore
  try {
    return await runProcess(virtualenv.python, args, {
      cwd: home,
      env: {
        ...(action === '--find' && FIND_VARIABLES),
        ...makeDownloadEnvironment(kind, uri, { home, connection }),
        ...(action === '--card' && CARD_VARIABLES),
        PYTHONPYCACHEPREFIX: virtualenv.pycache,
      },
      limitSeconds: LIMIT_SECONDS[action],
      onLine: (line) => {
        const [, done, total] = PROGRESS_LINE.exec(line) ?? [];
        if (done !== undefined) progress.say(renderAmount(label, Number(done), Number(total)));
      },
      ...(options.signal && { signal: options.signal }),
    });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** A registry without credentials may name no bucket, because the machine may have a role that can read it. */
function makePolicy({ allowed, kind, connection }: DownloadSource) {
  return { sources: allowed, buckets: (connection?.kind ?? kind) !== 'other' };
}

/** `Downloading iris 2: 1.2 GiB of 5 GiB` */
export function renderAmount(label: string, done: number, total: number): string {
  const size = total > 0 ? `${renderBytes(done)} of ${renderBytes(total)}` : renderBytes(done);
  return `Downloading ${label}: ${size}`;
}
