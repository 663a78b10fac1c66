import type { VirtualenvRequest } from '../../python/ensure-virtualenv.ts';
import type { PythonOptions } from '../../python/find-uv.ts';
import { chooseSandbox } from '../../sandbox/sandbox.ts';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { LockedPackage } from '../../schemas/lock/lock.ts';
import { SILENT, withProgress } from '../../system/progress.ts';
import type { CheckedModel } from '../model/check-model.ts';
import { applyPolicy, type ResolvedPolicy } from '../policy.ts';
import { findProvider, renderUnknownModuleHint } from '../requirements/explain-module.ts';
import { findPythonsWith, isInStandardLibrary } from '../requirements/standard-library.ts';
import { joinHints, locateProblem, type ModelProblem, type Subject } from '../subject.ts';
import { compareImports, type MissingImport } from './find-missing.ts';
import { readPackagedModules } from './packaged-modules.ts';
import { scanImports } from './scan-imports.ts';

export interface ImportOptions extends PythonOptions {
  readonly policy: Pick<ResolvedPolicy, 'missingModule'>;
  /** Reads the model with the user's own rights. Undefined: the environment of the user decides. */
  readonly withoutSandbox?: boolean | undefined;
}

/** The model's packages and where they are for. */
export type LockedPackages = Pick<VirtualenvRequest, 'packages' | 'platform'>;

const SHOWN = 10;

/**
 * Compares what a model imports with what the packages of its lock provide, before anything is installed. Claims only
 * what is certain: an error is an import that runs when the model is loaded.
 */
export async function checkImports(
  subject: Subject,
  { model, pythonVersion }: Pick<CheckedModel, 'model' | 'pythonVersion'>,
  locked: LockedPackages,
  options: ImportOptions,
): Promise<readonly Diagnostic[]> {
  if (options.policy.missingModule === 'ignore') return [];
  const scan = await scanImports(model, pythonVersion, { ...options, openSandbox: () => openSandbox(options) });
  if (!scan) return [];
  const request = { ...locked, python: pythonVersion, modelFolder: model.folder };
  const { missing, isCertain } = await compareImports(scan, locked.packages, pythonVersion, (packages) =>
    readPackages(packages, request, options),
  );
  const shown = takeStrongest(missing).slice(0, SHOWN);
  const context = { isCertain, pythonVersion, policy: options.policy };
  const problems = shown.flatMap((each) => describe(subject, each, context));
  return problems.map((problem) => locateProblem(subject, problem));
}

async function readPackages(
  packages: readonly LockedPackage[],
  request: Pick<VirtualenvRequest, 'python' | 'platform' | 'modelFolder'>,
  options: ImportOptions,
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (packages.length === 0) return new Map();
  const { progress = SILENT } = options;
  return withProgress(progress, `Reading which modules ${packages.length} packages provide`, () =>
    readPackagedModules(packages, request, options),
  );
}

async function openSandbox({ withoutSandbox }: ImportOptions) {
  const sandbox = await chooseSandbox(withoutSandbox);
  return sandbox && 'why' in sandbox ? 'missing' : sandbox;
}

/** One import for each missing module: the one that most certainly runs. */
function takeStrongest(missing: readonly MissingImport[]): readonly MissingImport[] {
  const byModule = new Map<string, MissingImport>();
  for (const each of missing) {
    const before = byModule.get(each.module);
    if (!before || (before.found.when === 'call' && each.found.when === 'load')) byModule.set(each.module, each);
  }
  const rank = ({ found }: MissingImport) => (found.when === 'load' ? 0 : 1);
  return [...byModule.values()].sort((a, b) => rank(a) - rank(b));
}

interface DescribeContext extends Pick<ImportOptions, 'policy'> {
  readonly isCertain: boolean;
  readonly pythonVersion: string;
}

function describe(
  subject: Subject,
  { module, found }: MissingImport,
  { isCertain, pythonVersion, policy }: DescribeContext,
): readonly ModelProblem[] {
  const { file, line, column, when } = found;
  const at = { file, line: Math.max(line, 1), column };
  const place = found.function === '' ? `${file}${file.endsWith('.py') ? `:${line}:${column}` : ''}` : file;
  const pythons = isInStandardLibrary(module, pythonVersion) ? undefined : findPythonsWith(module);
  const provider = pythons === undefined ? findProvider(module) : undefined;
  const why =
    pythons === undefined ? 'no package of the lock provides it' : `only Python ${pythons} has it in its library`;
  const hint =
    pythons === undefined
      ? provider === undefined && renderUnknownModuleHint(subject, module)
      : `Log the model again with Python ${pythons}, or without that module`;
  const repair = { ...(hint !== false && { hint }), ...(provider !== undefined && { add: provider }) };
  const isCode = file.endsWith('.py');
  if (when === 'load') {
    const uses = isCode ? `${place} imports it` : `${place} needs it`;
    const message = `Cannot load ${subject.label} without module "${module}": ${uses}, and ${why}`;
    const problem = { code: 'module-missing' as const, message, at, ...repair };
    return isCertain
      ? applyPolicy(policy.missingModule, problem)
      : [
          {
            ...problem,
            severity: 'warning',
            message: message.replace('Cannot load', 'Perhaps cannot load'),
            hint: joinHints(repair.hint, UNCERTAIN),
          },
        ];
  }
  const by = found.function === '' ? place : `${found.function}, line ${line}, in ${file}`;
  const message = `Found an import of module "${module}" in ${subject.label} that perhaps runs later: ${by} imports it, and ${why}`;
  return [{ code: 'module-missing', severity: 'warning', message, at, ...repair }];
}

const UNCERTAIN =
  'The proof decides, because the model may change the import path, or Davit cannot read a file of its code or a package of the lock';

/** Leaves out a warning about a module where the proof has failed for that module. */
export function dropExplainedImports(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const findModule = ({ message }: Diagnostic) => /module "([^"]+)"/.exec(message)?.[1];
  const failed = new Set(diagnostics.filter((d) => d.code === 'import-failed').map(findModule));
  const isExplained = (d: Diagnostic) =>
    d.code === 'module-missing' && d.severity === 'warning' && failed.has(findModule(d));
  return diagnostics.filter((d) => !isExplained(d));
}
