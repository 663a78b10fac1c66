import { homedir } from 'node:os';
import { join } from 'node:path';
import type { RegistryConnection } from './choose-registry.ts';
import type { SourceKind } from './model-sources.ts';

/** Variables without a secret: paths, proxies, certificates, and how patiently MLflow downloads. */
const COMMON =
  /^(?:PATH|LANG|LC_.*|TZ|TMPDIR|(?:HTTPS?|ALL|NO)_PROXY|SSL_CERT_(?:FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|MLFLOW_(?:HTTP_REQUEST|MULTIPART)_.*|MLFLOW_ALLOW_FILE_STORE)$/i;
const STORAGE = /^(?:AWS_.*|MLFLOW_S3_.*|MLFLOW_BOTO_.*|R2_.*|B2_.*)$/;
const GOOGLE =
  /^(?:GOOGLE_.*|CLOUDSDK_.*|GCLOUD_PROJECT|GCE_METADATA_.*|NO_GCE_CHECK|STORAGE_EMULATOR_HOST|MLFLOW_GCS_.*)$/;
const AZURE = /^(?:AZURE_.*|(?:IDENTITY|MSI)_(?:ENDPOINT|HEADER|SECRET)|IDENTITY_SERVER_THUMBPRINT)$/;
const DATABRICKS = /^DATABRICKS_.*$/;
const TRACKING = /^(?:MLFLOW_TRACKING_.*|MLFLOW_REGISTRY_URI|MLFLOW_WORKSPACE)$/;

/** Which variables of Davit's environment a download of each kind of source needs. */
const NEEDED: Readonly<Record<SourceKind, readonly RegExp[]>> = {
  // The tracking server may say that the artifacts are in a bucket.
  tracking: [COMMON, TRACKING, STORAGE, GOOGLE, AZURE],
  storage: [COMMON, STORAGE],
  google: [COMMON, GOOGLE],
  azure: [COMMON, AZURE],
  databricks: [COMMON, TRACKING, DATABRICKS],
  image: [], // Davit downloads it itself
  other: [COMMON],
};

const SERVER_CREDENTIALS = /^MLFLOW_TRACKING_(?:USERNAME|PASSWORD|TOKEN|AUTH|AWS_SIGV4)$/;

interface DownloadEnvironmentInputs {
  /** An empty folder. */
  readonly home: string;
  /** Undefined: the source is in no registry. */
  readonly connection?: RegistryConnection | undefined;
  readonly variables?: NodeJS.ProcessEnv;
}

/**
 * The environment of the program that downloads: only what the source needs, so that no other host can be sent a
 * credential. A source without credentials also gets an empty home, because MLflow reads ~/.mlflow/credentials.
 */
export function makeDownloadEnvironment(
  source: SourceKind,
  uri: string,
  { home, connection, variables = process.env }: DownloadEnvironmentInputs,
): NodeJS.ProcessEnv {
  const kind = connection?.kind ?? source;
  const names = connection
    ? [connection.tracking, connection.registry]
    : [variables['MLFLOW_TRACKING_URI'], variables['MLFLOW_REGISTRY_URI']];
  const databricks = kind === 'tracking' && names.some((name) => name?.startsWith('databricks')) ? [DATABRICKS] : [];
  const needed = [...NEEDED[kind], ...databricks];
  const kept = Object.entries(variables).filter(
    ([name]) => needed.some((pattern) => pattern.test(name)) && !(isOnlyDatabricks(connection) && SERVER_CREDENTIALS.test(name)), // prettier-ignore
  );
  const environment = {
    ...Object.fromEntries(kept),
    MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR: 'false',
    ...(connection && { MLFLOW_TRACKING_URI: connection.tracking, MLFLOW_REGISTRY_URI: connection.registry }),
  };
  if (kind !== 'other') return { ...environment, HOME: variables['HOME'] ?? homedir() };
  return {
    ...environment,
    HOME: home,
    AWS_EC2_METADATA_DISABLED: 'true', // a bucket would be read with the role of the machine
    NETRC: variables['NETRC'] ?? join(variables['HOME'] ?? homedir(), '.netrc'), // names the host of each password
    ...(!connection && { MLFLOW_TRACKING_URI: makeTrackingUri(uri, variables['MLFLOW_TRACKING_URI'] ?? '') }),
  };
}

/** The password of an MLflow server is not for Databricks, whatever a release of MLflow does with it. */
function isOnlyDatabricks(connection: RegistryConnection | undefined): boolean {
  return connection?.tracking.startsWith('databricks') === true && connection.registry.startsWith('databricks');
}

/** MLflow takes the protocol of `mlflow-artifacts://HOST` from its tracking URI. */
function makeTrackingUri(uri: string, tracking: string): string {
  const host = /^[a-z0-9+.-]+:\/\/([^/]*)/.exec(uri)?.[1] ?? 'localhost';
  return `${tracking.toLowerCase().startsWith('http:') ? 'http' : 'https'}://${host}`;
}
