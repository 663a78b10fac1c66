import type { EnvironmentRegistry } from '../../schemas/environment/model-registry.ts';
import { SOURCES_VARIABLE, type Refusal } from './model-sources.ts';

/** A registry that a download may use, and the settings of MLflow for it. */
export interface RegistryConnection {
  /** For messages: `the registry databricks-uc`, `the registry of MLFLOW_TRACKING_URI`. */
  readonly label: string;
  /** `other`: a registry that gets no credential. */
  readonly kind: 'tracking' | 'other';
  /** MLFLOW_TRACKING_URI and MLFLOW_REGISTRY_URI of the download. */
  readonly tracking: string;
  readonly registry: string;
}

export interface RegistryChoice {
  /** The registries of the environments that the model is for. */
  readonly environments: readonly EnvironmentRegistry[];
  /** DAVIT_MODEL_SOURCES. */
  readonly allowed: readonly string[];
  readonly variables: NodeJS.ProcessEnv;
}

/** `catalog.schema.name` */
const UNITY_CATALOG_NAME = /^[^./]+\.[^./]+\.[^./]+$/;

/** Whether a name has the three parts of Unity Catalog. */
export function isCatalogName(name: string): boolean {
  return UNITY_CATALOG_NAME.test(name);
}

/**
 * Chooses the registry of a registered model: that of the environments, else of the environment variables of the job.
 * Returns undefined if there is none. A file names a registry, and only the job decides which of them get credentials,
 * because a pull request writes the file.
 */
export function chooseRegistry(name: string, choice: RegistryChoice): RegistryConnection | Refusal | undefined {
  const { environments, variables } = choice;
  const [first, ...more] = [...new Map(environments.map((e) => [normalize(e.uri), e])).values()];
  if (first && more.length > 0)
    return {
      why: `environments name several registries (${[first, ...more].map((e) => `${e.uri} in ${e.file}`).join(', ')}), expected one`,
      hint: 'Name the environment: --environment NAME',
    };
  const found = first ? connectToEnvironment(first, choice) : connectToVariables(name, variables);
  return found === undefined || 'why' in found ? found : refineForName(name, found);
}

function connectToEnvironment(
  { uri, file }: EnvironmentRegistry,
  { allowed, variables }: RegistryChoice,
): RegistryConnection | Refusal {
  const { tracking, registry } = readVariables(variables);
  const label = `the registry ${uri}`;
  const address = normalize(uri);
  // Without a profile, Databricks' own variables name the host.
  if (/^databricks(?:-uc)?$/.test(uri)) return { label, kind: 'tracking', tracking: 'databricks', registry: uri };
  // The variable may have a user and a password, which are for this address.
  const known = [registry, tracking].find((variable) => variable !== undefined && normalize(variable) === address);
  if (known !== undefined) return { label, kind: 'tracking', tracking: chooseTracking(known), registry: known };
  const web = address.replace(/^uc:/, '');
  if (allowed.some((source) => web === source || web.startsWith(`${source}/`)))
    return { label, kind: 'other', tracking: web, registry: address };
  const source = /^https?:\/\/[^/]+/.exec(web)?.[0];
  const anonymous = source === undefined ? '' : `, or, for a registry without credentials, adds ${source} to ${SOURCES_VARIABLE}`; // prettier-ignore
  return {
    why: `the registry ${uri} of ${file} is not allowed, expected the address of MLFLOW_REGISTRY_URI or MLFLOW_TRACKING_URI`,
    hint: `To allow it, the owner of the job sets MLFLOW_REGISTRY_URI=${uri} in the environment of Davit${anonymous}; a file of the repository cannot`,
  };
}

/** MLflow downloads the artifacts of an MLflow server through its tracking address. */
function chooseTracking(uri: string): string {
  if (uri.startsWith('databricks')) return uri.replace('databricks-uc', 'databricks');
  return uri.startsWith('uc:') ? normalize(uri).slice('uc:'.length) : uri;
}

function connectToVariables(name: string, variables: NodeJS.ProcessEnv): RegistryConnection | undefined {
  const { tracking, registry } = readVariables(variables);
  if (registry !== undefined)
    return {
      label: 'the registry of MLFLOW_REGISTRY_URI',
      kind: 'tracking',
      tracking: tracking ?? chooseTracking(registry),
      registry: registry.startsWith('uc:') ? normalize(registry) : registry,
    };
  if (tracking !== undefined)
    return { label: 'the registry of MLFLOW_TRACKING_URI', kind: 'tracking', tracking, registry: tracking };
  if (!UNITY_CATALOG_NAME.test(name) || !variables['DATABRICKS_HOST']) return undefined;
  return { label: 'the registry databricks-uc', kind: 'tracking', tracking: 'databricks', registry: 'databricks-uc' };
}

function readVariables(variables: NodeJS.ProcessEnv) {
  const [tracking, registry] = [variables['MLFLOW_TRACKING_URI'], variables['MLFLOW_REGISTRY_URI']];
  return { tracking: tracking === '' ? undefined : tracking, registry: registry === '' ? undefined : registry };
}

/** A name of three parts is one of Unity Catalog, and Unity Catalog has no other names. */
function refineForName(name: string, connection: RegistryConnection): RegistryConnection | Refusal {
  const { registry } = connection;
  const hasThreeParts = UNITY_CATALOG_NAME.test(name);
  if (hasThreeParts && /^databricks(?::|$)/.test(registry))
    return { ...connection, registry: registry.replace('databricks', 'databricks-uc') };
  if (!hasThreeParts && /^(?:databricks-uc|uc:)/.test(registry))
    return {
      why: `a name in Unity Catalog has three parts, expected CATALOG.SCHEMA.${name.split('.').at(-1) ?? name}`,
      hint: 'Write the whole name in entity_name, or use the registry of the workspace: databricks',
    };
  return connection;
}

/** `uc:HOST` → `uc:https://host`, without user, trailing slash and default port. */
function normalize(uri: string): string {
  const isCatalog = uri.startsWith('uc:');
  const bare = isCatalog ? uri.slice('uc:'.length) : uri;
  const address = isCatalog && !bare.includes('://') ? `https://${bare}` : bare;
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return uri;
  const { protocol, host, pathname } = new URL(address);
  return `${isCatalog ? 'uc:' : ''}${protocol}//${host}${pathname === '/' ? '' : pathname.replace(/\/$/, '')}`;
}
