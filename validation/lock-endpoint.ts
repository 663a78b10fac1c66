import { isForServers } from '../python/evaluate-marker.ts';
import { minorVersion } from '../python/find-python.ts';
import type { PythonOptions } from '../python/find-uv.ts';
import { type Diagnostic, hasErrors, sortDiagnostics } from '../schemas/diagnostic.ts';
import type { DiagnosticCode } from '../schemas/diagnostic-codes.ts';
import type { Endpoint } from '../schemas/endpoint/endpoint.ts';
import type { Lock, LockedEntity, LockedPackage, LockedVirtualenv } from '../schemas/lock/lock.ts';
import { contentHash } from '../schemas/values/names.ts';
import { SILENT, withProgress } from '../system/progress.ts';
import { mapConcurrent } from '../system/map-concurrent.ts';
import { checkLockedMlflow } from './model/check-minimum-versions.ts';
import { checkVersionDrift, listSavedVersions } from './model/check-version-drift.ts';
import { explainStaleCases, explainStalePackages } from './check-lock.ts';
import { checkImports } from './imports/check-imports.ts';
import { type CheckedModel, checkModel } from './model/check-model.ts';
import type { EnvironmentRegistry } from '../schemas/environment/model-registry.ts';
import type { Policy } from '../schemas/environment/policy.ts';
import { resolvePolicy, type ResolvedPolicy } from './policy.ts';
import { fetchModel } from './model/fetch-model.ts';
import type { ResolvedVersion } from './model/fetched-model.ts';
import { makeLockedModel, renderRequirements } from './locked-model.ts';
import { checkBuilt, refuseBuild } from './requirements/building/check-built.ts';
import { checkHardware } from './requirements/check-hardware.ts';
import { describeResolutionFailure } from './requirements/failures/describe-failure.ts';
import { resolveAndBuild } from './requirements/building/resolve-and-build.ts';
import { makeSubject, type ModelProblem, locateProblem, type Subject } from './subject.ts';
import { describeWithdrawn } from './withdrawn/describe-withdrawn.ts';
import { findLockedVirtualenv } from '../schemas/lock/find-locked-virtualenv.ts';
import { readOwn } from '../schemas/values/read-own.ts';

export interface LockEndpointOptions extends PythonOptions {
  /** The project folder. */
  readonly root: string;
  /** The existing lock. Entities that are not stale stay unchanged, and the others keep their pins where possible. */
  readonly current?: Lock | undefined;
  /** Resolves everything again, to the newest versions that the requirements allow. */
  readonly upgrade?: boolean;
  /** Codes of errors that are only warnings here. */
  readonly tolerated?: readonly DiagnosticCode[] | undefined;
  /** The registries of the environments that the endpoint is for. */
  readonly registries?: readonly EnvironmentRegistry[] | undefined;
  /** Whether this run has no credentials although a registry needs some. */
  readonly withheld?: boolean | undefined;
  /** The policies of the environments that the endpoint is for. */
  readonly policies?: readonly Policy[] | undefined;
  /** Reads the imports of models with the user's own rights. Undefined: the environment of the user decides. */
  readonly withoutSandbox?: boolean | undefined;
  /** Starts no program that reads a model's code: where there are credentials. The validation of the lock does it. */
  readonly withoutImports?: boolean | undefined;
}

export interface LockResult {
  /** Undefined if any diagnostic is an error. */
  readonly lock: Lock | undefined;
  /** Whether the lock differs from `current`. */
  readonly changed: boolean;
  readonly entities: readonly {
    readonly entity: string;
    readonly changed: boolean;
    readonly reason: string | undefined;
  }[];
  readonly diagnostics: readonly Diagnostic[];
}

/** glibc 2.28: Debian 10, RHEL 8 and newer. Fixed, so that the lock does not depend on the machine that makes it. */
const LOCK_PLATFORM = 'x86_64-manylinux_2_28';
const CONCURRENCY = 2;

/** Resolves the requirements of every entity that is new or changed. Writes nothing. */
export function lockEndpoint(endpoint: Endpoint, options: LockEndpointOptions): Promise<LockResult> {
  return lockSubjects(
    endpoint.name,
    endpoint.entities.map((entity) => makeSubject(endpoint, entity)),
    options,
  );
}

/** Locks any list of subjects, which do not have to be a complete endpoint. */
export async function lockSubjects(
  name: string,
  subjects: readonly Subject[],
  options: LockEndpointOptions,
): Promise<LockResult> {
  const results = await mapConcurrent(subjects, CONCURRENCY, (subject) => lockSubject(subject, options));
  const { tolerated = [] } = options;
  const diagnostics = sortDiagnostics(results.flatMap((r) => r.diagnostics)).map((d) =>
    tolerated.includes(d.code) ? { ...d, severity: 'warning' as const } : d,
  );
  const entities = results.map(({ subject, reason }) => ({
    entity: subject.entity.name,
    changed: reason !== undefined,
    reason,
  }));
  if (hasErrors(diagnostics)) return { lock: undefined, changed: false, entities, diagnostics };
  const lock = assembleLock(
    name,
    results.flatMap((r) => r.locked ?? []),
  );
  return { lock, changed: contentHash(lock) !== contentHash(options.current ?? null), entities, diagnostics };
}

interface LockedSubject {
  readonly name: string;
  readonly entity: Omit<LockedEntity, 'virtualenv'>;
  readonly virtualenv: LockedVirtualenv;
}

interface SubjectResult {
  readonly subject: Subject;
  /** Why the subject was resolved again. Undefined if its lock stays unchanged. */
  readonly reason: string | undefined;
  readonly locked: LockedSubject | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

async function lockSubject(subject: Subject, options: LockEndpointOptions): Promise<SubjectResult> {
  const locked = options.current && readOwn(options.current.entities, subject.entity.name)?.model;
  const fetched = await fetchModel(subject, { ...options, locked });
  if (fetched.folder === undefined)
    return { subject, reason: undefined, locked: undefined, diagnostics: fetched.diagnostics };
  const policy = resolvePolicy(options.policies);
  const { current, upgrade = false } = options;
  const before = current && readOwn(current.entities, subject.entity.name);
  const virtualenv = before && current.virtualenvs[before.virtualenv];
  const rules = { root: options.root, policy, packages: virtualenv?.packages };
  const { checked, diagnostics } = await checkModel(subject, fetched.folder, rules);
  if (!checked) return { subject, reason: undefined, locked: undefined, diagnostics };
  const reason = current ? explainStalePackages(subject, current, checked, fetched.resolved) : 'no lock yet';
  if (reason === undefined && !upgrade && before && virtualenv) {
    const locked = { name: subject.entity.name, entity: { ...before, ...makeLockedValidation(checked) }, virtualenv };
    const bounds = checkPackages(subject, checked.model, { packages: virtualenv.packages, policy }).map((p) =>
      locateProblem(subject, p),
    );
    const changedCases = explainStaleCases(subject, current, checked);
    const imports = options.withoutImports
      ? []
      : await checkImports(subject, checked, virtualenv, { ...options, policy });
    return { subject, reason: changedCases, locked, diagnostics: [...diagnostics, ...bounds, ...imports] };
  }
  const { resolved } = fetched;
  return resolveSubject(subject, checked, { ...options, reason: reason ?? 'upgrade', diagnostics, resolved });
}

async function resolveSubject(
  subject: Subject,
  checked: CheckedModel,
  options: LockEndpointOptions & {
    readonly reason: string;
    readonly diagnostics: readonly Diagnostic[];
    readonly resolved: ResolvedVersion | undefined;
  },
): Promise<SubjectResult> {
  const { current, upgrade = false, reason, progress = SILENT } = options;
  const old = current && findLockedVirtualenv(current, subject.entity.name);
  const { model, pythonVersion, requirements } = checked;
  const [python, platform] = [minorVersion(pythonVersion), old?.platform ?? LOCK_PLATFORM];
  const wanted = {
    ...{ requirements: requirements.filter((r) => isForServers(r, pythonVersion)), constraints: model.constraints },
    ...{ modelFolder: model.folder, python, platform },
    preferences: upgrade ? undefined : (old?.packages ?? []),
    saved: listSavedVersions(model),
  };
  const policy = resolvePolicy(options.policies);
  const building = { buildWheels: subject.entity.buildWheels, mayBuild: policy.builtPackage !== 'error' };
  const work = () => resolveAndBuild(wanted, building, options);
  const what = `Locking ${subject.entity.name} (${reason})`;
  const { packages, yanked, explanation, refused } = await withProgress(progress, what, work);
  if (!packages) {
    const failed = { model, request: wanted, explanation };
    const wrong = refused ? [refuseBuild(subject, refused)] : await describeResolutionFailure(subject, failed, options);
    const diagnostics = [...options.diagnostics, ...wrong.map((p) => locateProblem(subject, p))];
    return { subject, reason, locked: undefined, diagnostics };
  }
  const imports = options.withoutImports
    ? []
    : await checkImports(subject, checked, { packages, platform }, { ...options, policy });
  const drift = checkVersionDrift(subject, checked.model, new Map(packages.map((p) => [p.name, p.version])));
  const bounds = [
    ...checkPackages(subject, checked.model, { packages, policy }),
    ...describeWithdrawn(subject, checked.requirements, yanked),
  ];
  return {
    subject,
    reason,
    locked: {
      ...makeLockedEntity(subject, checked, options.resolved),
      virtualenv: { python, platform, packages: [...packages] },
    },
    diagnostics: [...options.diagnostics, ...[...drift, ...bounds].map((p) => locateProblem(subject, p)), ...imports],
  };
}

function makeLockedEntity(subject: Subject, checked: CheckedModel, resolved: ResolvedVersion | undefined) {
  const entity = {
    model: makeLockedModel(subject, checked, resolved),
    requirements: [...renderRequirements(checked)],
    signature: checked.model.signature,
    ...makeLockedValidation(checked),
  };
  return { name: subject.entity.name, entity };
}

function checkPackages(
  subject: Subject,
  model: CheckedModel['model'],
  { packages, policy }: { readonly packages: readonly LockedPackage[]; readonly policy: ResolvedPolicy },
): readonly ModelProblem[] {
  return [
    ...checkLockedMlflow(subject, model, packages),
    ...checkHardware(subject, packages),
    ...checkBuilt(subject, packages, policy),
  ];
}

/** The cases are part of the lock, so that the cases that were reviewed are those that the model server predicts. */
function makeLockedValidation({ cases }: CheckedModel): Pick<LockedEntity, 'validation'> {
  return { validation: cases.length > 0 ? [...cases] : undefined };
}

/** Assembles the lock in the order of the entities. Entities with equal packages share one virtualenv. */
function assembleLock(endpoint: string, all: readonly LockedSubject[]): Lock {
  const entities: Record<string, LockedEntity> = {};
  const virtualenvs: Record<string, LockedVirtualenv> = {};
  for (const { name, entity, virtualenv } of all) {
    const key = `python${virtualenv.python}-${contentHash(virtualenv).slice(0, 10)}`;
    const { model, requirements, signature, validation } = entity;
    entities[name] = { model, requirements, virtualenv: key, signature, ...(validation && { validation }) };
    virtualenvs[key] = virtualenv;
  }
  return { lock_version: 1, endpoint, entities, virtualenvs };
}
