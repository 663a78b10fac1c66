import { z } from 'zod';
import type { DiagnosticCode } from '../../schemas/diagnostic-codes.ts';
import { suggestValue } from '../../schemas/yaml/suggest-value.ts';
import type { ProcessResult } from '../../system/run-process.ts';
import type { RegistryConnection } from './choose-registry.ts';
import { maskSecrets } from '../../schemas/values/mask-secrets.ts';
import { type Refusal, SOURCES_VARIABLE } from './model-sources.ts';
import { parseJson } from '../../schemas/values/parse-json.ts';

const name = z.string().regex(/^[\w.-]{1,200}$/);
const version = z.string().regex(/^\d{1,18}$/);

/** A name that no diagnostic can show is left out. The rest of the answer still explains the failure. */
function keepReadable<T>(entry: z.ZodType<T>, max: number) {
  return z.array(z.unknown()).transform((all) =>
    all
      .map((e) => entry.safeParse(e))
      .flatMap((parsed) => (parsed.success ? [parsed.data] : []))
      .slice(0, max),
  );
}

const aliases = z
  .record(z.string(), z.unknown())
  .transform((all): unknown[] => Object.entries(all))
  .pipe(keepReadable(z.tuple([name, version]), 20))
  .transform((all): Readonly<Record<string, string>> => Object.fromEntries(all));

/** The last line that download_model.py writes to standard error. */
const failure = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('refused'), source: z.string() }),
  z.object({ kind: z.literal('package'), package: z.string() }),
  z.object({ kind: z.literal('denied'), registry: z.boolean() }),
  z.object({
    kind: z.enum(['missing', 'unreachable', 'unavailable', 'truncated', 'damaged', 'unconfigured', 'no-listing']),
  }),
  z.object({ kind: z.literal('pending'), version, status: z.string().regex(/^[A-Z_]{1,60}$/) }),
  z.object({ kind: z.literal('no-model'), near: keepReadable(name, 3), hidden: z.boolean() }),
  z.object({ kind: z.literal('no-version'), count: z.int(), versions: keepReadable(version, 20) }),
  z.object({ kind: z.literal('no-alias'), aliases }),
  z.object({ kind: z.literal('system'), error: z.string().regex(/^\w{1,40}$/) }),
  z.object({ kind: z.literal('failed'), error: z.string().regex(/^\w+$/) }),
]);
type Failure = z.infer<typeof failure>;

/** Why there is no model. `about`: the field of the endpoint file that names what is missing. */
export interface DownloadFailure extends Refusal {
  readonly code: DiagnosticCode;
  readonly about: 'name' | 'version' | 'entity';
}

export interface FailedDownload {
  readonly run: ProcessResult;
  /** The registered model and its version. Undefined: the URI is another one. */
  readonly wanted: { readonly name: string; readonly version: string } | undefined;
  readonly connection: RegistryConnection | undefined;
  readonly limitSeconds: number;
}

/** A server that does not answer, or answers wrongly, or a fault of this machine: no file of the user is wrong. */
class DownloadOutage extends Error {}

const HINT = 'Check the URI, MLFLOW_TRACKING_URI and your credentials for it';
/** What reads each store besides mlflow-skinny, by the module that is missing. */
const PACKAGES: Readonly<Record<string, string>> = {
  pysftp: 'pysftp (sftp://)',
  pyarrow: 'pyarrow (hdfs://)',
  huggingface_hub: 'huggingface_hub (hf://)',
};

/**
 * Explains a failed download by its kind alone: what a server has answered is for nobody who only reads a report. Throws
 * if a server is at fault.
 */
export function explainOrThrow(
  failed: FailedDownload,
  { label, uri }: { readonly label: string; readonly uri: string },
): DownloadFailure {
  try {
    return explainDownloadFailure(failed);
  } catch (e) {
    if (!(e instanceof DownloadOutage)) throw e;
    throw new Error(`Cannot fetch ${label} from "${maskSecrets(uri)}": ${e.message}. Try again later`, { cause: e });
  }
}

function explainDownloadFailure(failed: FailedDownload): DownloadFailure {
  const { run, limitSeconds } = failed;
  const reason = parseLastLine(run.stderr);
  if (run.timedOut) throw new DownloadOutage(`it took longer than ${limitSeconds} s`);
  if (reason === undefined) throw new DownloadOutage(`the download program ended without a reason (${renderEnd(run)})`);
  const server = failed.connection?.label ?? 'the server';
  if (reason.kind === 'unreachable') throw new DownloadOutage(`${server} is not reachable`);
  if (reason.kind === 'unavailable')
    throw new DownloadOutage(`${server}, or the store of its files, answers with an error of its own`);
  if (reason.kind === 'system') throw new DownloadOutage(`this machine reports ${reason.error}`);
  if (reason.kind === 'truncated')
    throw new DownloadOutage('a file ended before the size that its store lists; the files that are complete are kept');
  if (reason.kind === 'damaged')
    throw new DownloadOutage('a file arrived with other bytes than its store has a checksum of; the files that are complete are kept'); // prettier-ignore
  return explainRegistry(reason, failed) ?? explainSource(reason, failed);
}

function renderEnd({ code, signal }: ProcessResult): string {
  return signal === undefined ? `exit code ${code}` : `ended by ${signal}`;
}

function explainRegistry(reason: Failure, { wanted, connection }: FailedDownload): DownloadFailure | undefined {
  const registry = connection?.label ?? 'the registry';
  const model = wanted?.name ?? 'the model';
  const target = wanted?.version ?? '';
  switch (reason.kind) {
    case 'pending':
      return {
        code: 'model-pending',
        about: 'version',
        why: `version ${reason.version} of ${model} is not ready (${reason.status})`,
        hint: 'The lock and the proof follow when the registry says READY; run this again then',
      };
    case 'no-model':
      return {
        code: 'model-not-found',
        about: 'name',
        why: `${registry} has no model "${model}"${reason.hidden ? ', or hides it from this account' : ''}`,
        hint: reason.near.length > 0 ? `Similar names there: ${reason.near.join(', ')}` : 'Check the name, and that its credentials may see the model', // prettier-ignore
      };
    case 'no-alias':
      return {
        code: 'model-not-found',
        about: 'version',
        why: `${model} has no alias "${target.replace(/^@/, '')}"`,
        hint: suggestAlias(target.replace(/^@/, ''), reason.aliases),
      };
    case 'no-version':
      return explainVersion(reason, model, target);
    case 'refused':
    case 'package':
    case 'denied':
    case 'missing':
    case 'unreachable':
    case 'unavailable':
    case 'system':
    case 'truncated':
    case 'damaged':
    case 'unconfigured':
    case 'no-listing':
    case 'failed':
      return undefined;
  }
}

function suggestAlias(alias: string, aliases: Readonly<Record<string, string>>): string {
  const names = Object.keys(aliases);
  if (names.length === 0) return 'The model has no alias; write the number of a version';
  const near = suggestValue(alias, names);
  const there = names.map((a) => `@${a} (version ${aliases[a] ?? ''})`).join(', ');
  return `${near === undefined ? '' : `${near} `}Aliases of the model: ${there}`;
}

/** A version above all others may be being registered, have been deleted, or be a slip. */
function explainVersion(
  { count, versions }: Extract<Failure, { kind: 'no-version' }>,
  model: string,
  target: string,
): DownloadFailure {
  const last = Number(versions.at(-1) ?? 0);
  const there = versions.length === 0 ? 'it has no version' : `its versions are ${count > versions.length ? '…, ' : ''}${versions.join(', ')}`; // prettier-ignore
  const isNext = /^\d+$/.test(target) && Number(target) > last;
  const others = last === 0 ? '' : `; otherwise write one of them, such as "${last}"`;
  const hint = isNext
    ? `If version ${target} will be registered, run this again then${others}`
    : last === 0
      ? 'Register a version'
      : `Write one of them, such as "${last}"`;
  const why = /^\d+$/.test(target) ? `${model} has no version ${target}` : `no version of ${model} is in "${target}"`; // prettier-ignore
  return { code: isNext ? 'model-pending' : 'model-not-found', about: 'version', why: `${why}; ${there}`, hint };
}

function explainSource(reason: Failure, { connection }: FailedDownload): DownloadFailure {
  switch (reason.kind) {
    case 'refused':
      return makeFailure(
        `its files are at ${reason.source}, which is not an allowed source`,
        `To allow it, the owner of the repository adds it to ${SOURCES_VARIABLE} in the environment of Davit`,
      );
    case 'package': {
      const known = PACKAGES[reason.package.split('.')[0] ?? ''] ?? reason.package;
      return makeFailure(
        `Davit has no package${known === '' ? '' : ` ${known}`} to read this URI`,
        'Download the model and write its path',
      );
    }
    case 'denied':
      return makeFailure('access was denied', reason.registry ? renderCredentialsHint(connection) : HINT);
    case 'unconfigured':
      return makeFailure('there are no credentials for Databricks', DATABRICKS_HINT);
    case 'no-listing':
      return makeFailure(
        'it is not an address of an MLflow server, and no other web server says which files a directory has',
        'Write https://HOST/api/2.0/mlflow-artifacts/artifacts/PATH, or download the directory and write its path',
      );
    case 'missing':
      return makeFailure('there is no such model or directory', HINT);
    case 'failed':
      return makeFailure(`the download failed (${reason.error})`, HINT);
    case 'unreachable':
    case 'unavailable':
    case 'system':
    case 'truncated':
    case 'damaged':
    case 'pending':
    case 'no-model':
    case 'no-version':
    case 'no-alias':
      return makeFailure('the download failed', HINT);
  }
}

const DATABRICKS_HINT =
  'Set DATABRICKS_HOST and DATABRICKS_TOKEN (or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET) to an account that may read the model';

function renderCredentialsHint(connection: RegistryConnection | undefined): string {
  if (connection === undefined) return HINT;
  if (connection.registry.startsWith('databricks')) return DATABRICKS_HINT;
  if (connection.kind === 'other')
    return `This registry gets no credential of the job. Set MLFLOW_REGISTRY_URI to its address, or add its host to ~/.netrc`;
  return 'Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, to an account that may read the model';
}

function makeFailure(why: string, hint: string): DownloadFailure {
  return { code: 'model-not-found', about: 'entity', why, hint };
}

function parseLastLine(stderr: string): Failure | undefined {
  return parseJson(stderr.trim().split('\n').at(-1), failure);
}
