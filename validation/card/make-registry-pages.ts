import type { EnvironmentRegistry } from '../../schemas/environment/model-registry.ts';
import type { Comparison } from '../../schemas/report/comparison.ts';
import type { RegistryConnection } from '../model/choose-registry.ts';

/** Addresses for people; null: there is no page, or it must not be shown. */
export type RegistryPages = NonNullable<Comparison['pages']>['new'];

interface RegisteredRun {
  readonly name: string;
  readonly version: string;
  readonly run: string | null;
  readonly experiment: string | null;
}

const NO_PAGES: RegistryPages = { model: null, run: null };
/** An id of a run or an experiment that a registry sends. */
const ID = /^[\w-]{1,64}$/;

/**
 * The pages of a version and its run in the user interface of MLflow or Databricks. A comment shows an address only if a
 * file of the repository names the registry: the variables of a job may have an address that readers must not know.
 */
export function makeRegistryPages(
  { registry }: Pick<RegistryConnection, 'registry'>,
  { name, version, run, experiment }: RegisteredRun,
  named: readonly EnvironmentRegistry[] = [],
  variables: NodeJS.ProcessEnv = process.env,
): RegistryPages {
  const [environment] = named;
  if (!environment || registry.startsWith('uc:')) return NO_PAGES; // that one has no pages
  const isDatabricks = registry.startsWith('databricks');
  // A profile names a host that only Databricks' client knows.
  if (isDatabricks && registry.includes('://')) return NO_PAGES;
  const base = findBase(isDatabricks ? (variables['DATABRICKS_HOST'] ?? '') : environment.uri);
  if (base === undefined) return NO_PAGES;
  const hasRun = run !== null && experiment !== null && ID.test(run) && ID.test(experiment);
  const prefix = isDatabricks ? `${base}/#mlflow` : `${base}/#`;
  const runPage = hasRun ? `${prefix}/experiments/${experiment}/runs/${run}` : null;
  if (registry.startsWith('databricks-uc'))
    return { model: `${base}/explore/data/models/${name.split('.').map(encode).join('/')}/version/${version}`, run: runPage }; // prettier-ignore
  return { model: `${prefix}/models/${encode(name)}/versions/${version}`, run: runPage };
}

/** `https://host/path`, without user, query and trailing slash. */
function findBase(address: string): string | undefined {
  const text = /^https?:\/\//i.test(address) ? address : `https://${address}`;
  if (address === '' || !URL.canParse(text)) return undefined;
  const { protocol, host, pathname } = new URL(text);
  return `${protocol}//${host}${pathname.replace(/\/$/, '')}`;
}

/** Also what could end a link in Markdown. */
function encode(name: string): string {
  return encodeURIComponent(name).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}
