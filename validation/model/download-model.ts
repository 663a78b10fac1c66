import { join } from 'node:path';
import { parseRegisteredVersion, type RegisteredVersion } from '../../schemas/endpoint/model-reference.ts';
import { SILENT, withProgress } from '../../system/progress.ts';
import type { Subject } from '../subject.ts';
import { chooseRegistry, type RegistryConnection } from './choose-registry.ts';
import { listServerSettings } from './addresses/server-settings.ts';
import { makeDownloadEnvironment } from './download-environment.ts';
import { downloadImage } from './downloads/download-image.ts';
import { type Download, downloadOnce } from './downloads/download-once.ts';
import { type DownloadFailure, explainOrThrow } from './explain-download.ts';
import type { FetchedModel, FetchOptions } from './fetched-model.ts';
import { maskSecrets } from '../../schemas/values/mask-secrets.ts';
import { allowTypedUri, checkModelUri, readModelSources, type Refusal } from './model-sources.ts';
import { makeDownloadError, WITHHELD } from './refuse-download.ts';
import { resolveVersion } from './resolve-version.ts';
import { type DownloadSource, LIMIT_SECONDS, runDownload } from './run-download.ts';

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
  if (source.kind === 'image') return downloadImage(subject, uri, options);
  if (options.withheld && (source.connection?.kind ?? source.kind) !== 'other') return refuse(subject, WITHHELD, uri);
  const wanted = parseRegisteredVersion(uri);
  if (!wanted) return downloadFiles(subject, { source, wanted }, options);
  const { version, resolved, refused } = await resolveVersion(subject, { source, wanted }, options);
  if (refused) return { folder: undefined, diagnostics: [refused] };
  const registered = { name: wanted.name, version };
  const fixed = { ...source, uri: `models:/${wanted.name}/${version}` };
  const fetched = await downloadFiles(subject, { source: fixed, wanted: registered }, options);
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

async function downloadFiles(
  subject: Subject,
  { source, wanted }: FixedDownload,
  options: FetchOptions,
): Promise<FetchedModel> {
  const { uri, kind, connection } = source;
  const settings = await listServerSettings(uri, makeDownloadEnvironment(kind, uri, { home: '', connection }));
  const { label } = subject;
  const download: Download = async (partial) => {
    const work = () => runDownload(source, { action: '--download', folder: partial, label }, options);
    const run = await withProgress(options.progress ?? SILENT, `Downloading ${label} (${maskSecrets(uri)})`, work);
    if (run.code === 0) return { model: join(partial, 'model') };
    const failed = { run, wanted, connection, limitSeconds: LIMIT_SECONDS['--download'] };
    return { refused: makeDownloadError(subject, explainOrThrow(failed, { label, uri }), uri) };
  };
  return downloadOnce({ uri, settings }, download, options);
}

function refuse(subject: Subject, failure: Refusal & Partial<DownloadFailure>, uri: string): FetchedModel {
  return { folder: undefined, diagnostics: [makeDownloadError(subject, failure, uri)] };
}
