import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Variables that choose a server or a workspace. None is a credential, so a new token keeps what was downloaded. */
const VARIABLES = new Set([
  ...['MLFLOW_TRACKING_URI', 'MLFLOW_REGISTRY_URI', 'MLFLOW_WORKSPACE', 'MLFLOW_S3_ENDPOINT_URL'],
  ...['DATABRICKS_HOST', 'DATABRICKS_ACCOUNT_ID', 'DATABRICKS_WORKSPACE_ID', 'DATABRICKS_AZURE_RESOURCE_ID'],
  ...['DATABRICKS_CONFIG_PROFILE', 'DATABRICKS_CONFIG_FILE'],
  ...['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_S3', 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'],
  'STORAGE_EMULATOR_HOST',
  ...['AWS_PROFILE', 'AWS_DEFAULT_PROFILE', 'AWS_CONFIG_FILE'],
]);
/** The same in configuration files. */
const DATABRICKS_KEYS = new Set(['host', 'account_id', 'workspace_id', 'azure_workspace_resource_id']);
const AWS_KEYS = new Set(['endpoint_url', 'services']);

/**
 * Lists what decides, besides the URI, which server a download reaches: `databricks` is another workspace on each machine, and
 * a bucket another one at each endpoint. `environment` is that of the download, with no HOME if that is an empty folder.
 */
export async function listServerSettings(uri: string, environment: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const variables = Object.entries(environment).filter(([name, value]) => VARIABLES.has(name) && value !== '');
  return [
    ...variables.map(([name, value]) => `${name}=${value ?? ''}`).sort(),
    ...(await listDatabricksHosts(uri, environment)),
    ...(await readSettings(environment['AWS_CONFIG_FILE'] ?? '~/.aws/config', AWS_KEYS, environment)).map(({ text }) => text), // prettier-ignore
  ];
}

/** The lines of the profiles that MLflow or Databricks' client may take. Other profiles do not matter. */
async function listDatabricksHosts(uri: string, environment: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const names = [environment['MLFLOW_TRACKING_URI'], environment['MLFLOW_REGISTRY_URI']].filter(isDatabricks);
  if (names.length === 0 && !uri.startsWith('dbfs:')) return [];
  const named = names.map((name) => /:\/\/([^:/]+)/.exec(name)?.[1]);
  const profiles = new Set(['DEFAULT', environment['DATABRICKS_CONFIG_PROFILE'], ...named]);
  const file = environment['DATABRICKS_CONFIG_FILE'] ?? '~/.databrickscfg';
  const settings = await readSettings(file, DATABRICKS_KEYS, environment);
  return settings.filter(({ section }) => profiles.has(section)).map(({ text }) => text);
}

function isDatabricks(name: string | undefined): name is string {
  return name !== undefined && /^databricks(?:-uc)?(?::|$)/.test(name);
}

interface Setting {
  /** `DEFAULT` of `[DEFAULT]` */
  readonly section: string;
  readonly text: string;
}

/** Reads the lines `KEY = VALUE` with one of these keys, each with its section. No file: none. */
async function readSettings(
  file: string,
  keys: ReadonlySet<string>,
  { HOME: home = '' }: NodeJS.ProcessEnv,
): Promise<readonly Setting[]> {
  if (file.startsWith('~/') && home === '') return [];
  const text = await readFile(file.startsWith('~/') ? join(home, file.slice(2)) : file, 'utf8').catch(() => '');
  let section = '';
  return text.split('\n').flatMap((line) => {
    const trimmed = line.trim();
    if (trimmed.startsWith('[')) section = trimmed.slice(1).split(']')[0]?.trim() ?? '';
    const [key = '', ...rest] = trimmed.split('=');
    const name = key.trim().toLowerCase();
    return keys.has(name) ? [{ section, text: `[${section}] ${name}=${rest.join('=').trim()}` }] : [];
  });
}
