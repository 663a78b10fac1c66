import type { LockedPackage } from '../../schemas/lock/lock.ts';
import { isInStandardLibrary } from '../requirements/standard-library.ts';
import { guessModules, isCudaPart, listKnownModules } from './known-modules.ts';
import type { ImportScan, ScannedImport } from './scan-imports.ts';

/** An import that no package of the lock provides. */
export interface MissingImport {
  /** The part that is missing: `sklearn`, or `google.cloud.storage` where other packages have `google.cloud`. */
  readonly module: string;
  readonly found: ScannedImport;
}

/**
 * Modules that Davit never claims to be missing. Others report a model without MLflow, and `dbutils` is there only on
 * Databricks, where a check for it comes first.
 */
const NEVER_CLAIMED = new Set(['mlflow', 'dbutils', 'davit_server', '_distutils_hack']);

type ReadPackages = (packages: readonly LockedPackage[]) => Promise<ReadonlyMap<string, readonly string[]>>;

interface MissingImports {
  readonly missing: readonly MissingImport[];
  /** Whether the imports that run at load are certainly missing. */
  readonly isCertain: boolean;
}

/**
 * Compares a scan with packages. `read` returns the modules of the packages that it can read. The table of known modules
 * only ends the comparison early: before an import that runs at load counts as missing, every package is read.
 */
export async function compareImports(
  scan: ImportScan,
  packages: readonly LockedPackage[],
  pythonVersion: string,
  read: ReadPackages,
): Promise<MissingImports> {
  const find = (known: ReadonlyMap<string, readonly string[]>) =>
    findMissingImports(
      scan.imports,
      packages.flatMap((p) => known.get(p.name) ?? guessModules(p)),
      pythonVersion,
    );
  // Most models end here.
  if (find(new Map()).length === 0) return { missing: [], isCertain: true };
  const [known, unknown] = partition(packages, (p) => listKnownModules(p) !== undefined);
  const first = await read(unknown);
  const missing = find(first);
  if (!missing.some(({ found }) => found.when === 'load')) return { missing, isCertain: false };
  const isReadable = unknown.every((p) => first.has(p.name));
  if (scan.changesPath || !scan.complete || !isReadable) return { missing, isCertain: false };
  const others = known.filter((p) => !isCudaPart(p));
  const second = await read(others);
  return { missing: find(new Map([...first, ...second])), isCertain: others.every((p) => second.has(p.name)) };
}

function partition<T>(values: readonly T[], matches: (value: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [values.filter(matches), values.filter((value) => !matches(value))];
}

/** Compares imports with the modules of packages: top-level names, and names with dots below a shared namespace. */
export function findMissingImports(
  imports: readonly ScannedImport[],
  modules: Iterable<string>,
  pythonVersion: string,
): readonly MissingImport[] {
  const { provided, namespaces } = index(modules);
  return imports.flatMap((found): readonly MissingImport[] => {
    const [top = ''] = found.module.split('.');
    if (NEVER_CLAIMED.has(top)) return [];
    if (found.standard && isInStandardLibrary(top, pythonVersion)) return [];
    const missing = findMissingPart(found, provided, namespaces);
    return missing === undefined ? [] : [{ module: missing, found }];
  });
}

/** Undefined: packages provide it. */
function findMissingPart(
  { module, names }: ScannedImport,
  provided: ReadonlySet<string>,
  namespaces: ReadonlySet<string>,
): string | undefined {
  const parts = module.split('.');
  for (let length = 1; length <= parts.length; length += 1) {
    const part = parts.slice(0, length).join('.');
    if (provided.has(part)) return undefined;
    if (!namespaces.has(part)) return part;
  }
  // Everything up to here is a namespace, so each name must be a module in it.
  const missing = names.find((name) => name !== '*' && !isThere(`${module}.${name}`, provided, namespaces));
  return missing === undefined ? undefined : `${module}.${missing}`;
}

function isThere(module: string, provided: ReadonlySet<string>, namespaces: ReadonlySet<string>): boolean {
  return provided.has(module) || namespaces.has(module);
}

function index(modules: Iterable<string>) {
  const [provided, namespaces] = [new Set<string>(), new Set<string>()];
  for (const module of modules) {
    provided.add(module);
    const parts = module.split('.');
    for (let length = 1; length < parts.length; length += 1) namespaces.add(parts.slice(0, length).join('.'));
  }
  return { provided, namespaces };
}
