import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../system/cache.ts';
import { parseRegisteredVersion, type RegisteredVersion } from '../../schemas/endpoint/model-reference.ts';
import { locateDownload } from '../../system/locate-model.ts';
import { type FileLockOptions, withFileLock } from '../../system/locks/file-lock.ts';
import { digestModel } from '../../system/model-digest.ts';
import { SILENT, withProgress } from '../../system/progress.ts';
import type { Subject } from '../subject.ts';
import { chooseRegistry, type RegistryConnection } from './choose-registry.ts';
import { makeDownloadEnvironment } from './download-environment.ts';
import { type DownloadFailure, explainOrThrow } from './explain-download.ts';
import type { FetchedModel, FetchOptions } from './fetched-model.ts';
import { maskSecrets } from './mask-secrets.ts';
import { findDownload, findDownloadByDigest, makeAddressKey, noteDownload } from './addresses/model-addresses.ts';
import { allowTypedUri, checkModelUri, readModelSources, type Refusal } from './model-sources.ts';
import { makeDownloadError, WITHHELD_HINT } from './refuse-download.ts';
import { resolveVersion } from './resolve-version.ts';
import { type DownloadSource, LIMIT_SECONDS, runDownload } from './run-download.ts';
import { listServerSettings } from './addresses/server-settings.ts';

/** The registry of a registered model; undefined if none is configured. */
export function findRegistry(
  name: string,
  { registries = [] }: Pick<FetchOptions, 'registries'>,
): RegistryConnection | Refusal | undefined {
  const { allowed } = readModelSources();
  return chooseRegistry(name, { environments: registries, allowed, variables: process.env });
}

/**
 * Downloads a model by its MLflow URI into the cache, once. Refuses a source that the environment does not allow, even if
 * the cache has the model. Throws if a server is at fault.
 */
export async function downloadModel(subject: Subject, uri: string, options: FetchOptions): Promise<FetchedModel> {
  const source = chooseSource(subject, uri, options);
  if ('why' in source) return refuse(subject, source, uri);
  if (options.withheld && (source.connection?.kind ?? source.kind) !== 'other') return refuse(subject, WITHHELD, uri);
  const wanted = parseRegisteredVersion(uri);
  if (!wanted) return downloadOnce(subject, { source, wanted }, options);
  const { version, resolved, refused } = await resolveVersion(subject, { source, wanted }, options);
  if (refused) return { folder: undefined, diagnostics: [refused] };
  const registered = { name: wanted.name, version };
  const fixed = { ...source, uri: `models:/${wanted.name}/${version}` };
  const fetched = await downloadOnce(subject, { source: fixed, wanted: registered }, options);
  return { ...fetched, ...(resolved && { resolved }) };
}

/** Checks the text of a URI, whether its source is allowed, and which registry it is for. */
function chooseSource(
  subject: Subject,
  uri: string,
  options: FetchOptions,
): DownloadSource | (Refusal & Partial<DownloadFailure>) {
  const known = readModelSources();
  const sources = subject.alone ? allowTypedUri(known, uri) : known;
  const kind = checkModelUri(uri, sources);
  if (typeof kind !== 'string') return kind;
  const { allowed } = sources;
  const wanted = parseRegisteredVersion(uri);
  const single = /^models:\/{1,3}([^/@]+)$/.exec(uri)?.[1];
  if (single !== undefined && !single.startsWith('m-'))
    return { why: 'it has no version', hint: `Write models:/${single}/VERSION` };
  if (wanted) {
    const connection = findRegistry(wanted.name, options);
    if (connection && 'why' in connection) return { ...connection, code: 'registry-refused', about: 'name' };
    if (connection) return { uri, kind, allowed, connection };
  }
  if (kind === 'tracking' && sources.tracking === undefined)
    return { why: 'MLFLOW_TRACKING_URI is not set', hint: 'Set it to the address of your MLflow server' };
  return { uri, kind, allowed, connection: undefined };
}

/** Said of the run and not of the model, because the author can change nothing about it. */
const WITHHELD: DownloadFailure = {
  code: 'credentials-withheld',
  about: 'entity',
  why: 'the run of a pull request from a fork, or of Dependabot, gets no credentials from GitHub',
  hint: WITHHELD_HINT,
};

/** The registry of a version, as a source to query. Undefined: no registry that this job may query. */
export function findRegistrySource(
  subject: Subject,
  { name, version }: RegisteredVersion,
  options: Pick<FetchOptions, 'registries' | 'root'>,
): (DownloadSource & { readonly connection: RegistryConnection }) | undefined {
  const source = chooseSource(subject, `models:/${name}/${version}`, options);
  return 'why' in source || !source.connection ? undefined : { ...source, connection: source.connection };
}

interface FixedDownload {
  readonly source: DownloadSource;
  readonly wanted: RegisteredVersion | undefined;
}

async function downloadOnce(subject: Subject, download: FixedDownload, options: FetchOptions): Promise<FetchedModel> {
  const { uri, kind, connection } = download.source;
  const environment = makeDownloadEnvironment(kind, uri, { home: '', connection });
  const key = makeAddressKey({ uri, settings: await listServerSettings(uri, environment) });
  const find = async () => (await findReviewed(options)) ?? findDownload(key);
  const there = await find();
  if (there !== undefined) return { folder: there, diagnostics: [] };
  const partial = cacheFolder('downloads', key);
  await mkdir(dirname(partial), { recursive: true });
  return withFileLock(
    `${partial}.lock`,
    async () => {
      const again = await find();
      return again === undefined
        ? runToEnd(subject, download, { partial, key, options })
        : { folder: again, diagnostics: [] };
    },
    { ...options, what: 'downloading the same model' },
  );
}

/** What was reviewed is known by its content, so no server is needed to deploy it. */
async function findReviewed({ aliases, locked }: FetchOptions): Promise<string | undefined> {
  return aliases === 'locked' && locked ? findDownloadByDigest(locked.digest) : undefined;
}

interface Destination {
  /** Keeps the files of an interrupted download, for the next attempt. */
  readonly partial: string;
  readonly key: string;
  readonly options: FetchOptions;
}

async function runToEnd(
  subject: Subject,
  { source, wanted }: FixedDownload,
  { partial, key, options }: Destination,
): Promise<FetchedModel> {
  const { label } = subject;
  const shown = maskSecrets(source.uri);
  await mkdir(partial, { recursive: true });
  const work = () => runDownload(source, { action: '--download', folder: partial, label }, options);
  const run = await withProgress(options.progress ?? SILENT, `Downloading ${label} (${shown})`, work);
  if (run.code !== 0) {
    const failed = { run, wanted, connection: source.connection, limitSeconds: LIMIT_SECONDS['--download'] };
    return refuse(subject, explainOrThrow(failed, { label, uri: source.uri }), source.uri);
  }
  const model = join(partial, 'model');
  const digest = await digestModel(model);
  await keepDownload(model, digest, options);
  await rm(partial, { recursive: true, force: true });
  await noteDownload(key, digest);
  return { folder: locateDownload(digest), diagnostics: [] };
}

/**
 * Moves a downloaded model to the folder of its content, unless the cache has it. Another address may give the same
 * content at the same time, so the lock is that of the content: a folder that is in use is never removed.
 */
export async function keepDownload(model: string, digest: string, options: FileLockOptions): Promise<void> {
  const folder = locateDownload(digest);
  const keep = async () => {
    if ((await findDownloadByDigest(digest)) !== undefined) return;
    await mkdir(dirname(folder), { recursive: true });
    await rm(folder, { recursive: true, force: true });
    await rename(model, folder);
  };
  const { progress, signal } = options;
  await withFileLock(`${folder}.lock`, keep, { what: 'keeping the same model', ...(progress && { progress }), signal });
}

function refuse(subject: Subject, failure: Refusal & Partial<DownloadFailure>, uri: string): FetchedModel {
  return { folder: undefined, diagnostics: [makeDownloadError(subject, failure, uri)] };
}
