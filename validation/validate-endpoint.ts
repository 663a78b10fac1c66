import type { PythonOptions } from '../python/find-uv.ts';
import { type Diagnostic, hasErrors, sortDiagnostics } from '../schemas/diagnostic.ts';
import type { Endpoint } from '../schemas/endpoint/endpoint.ts';
import type { Environment } from '../schemas/environment/environment.ts';
import type { EnvironmentRegistry } from '../schemas/environment/model-registry.ts';
import type { Policy } from '../schemas/environment/policy.ts';
import type { Lock } from '../schemas/lock/lock.ts';
import type { Proof } from '../schemas/lock/proof.ts';
import { mapConcurrent } from '../system/map-concurrent.ts';
import { checkRemovedEntities, checkLockedEntity, reportMissingLock } from './check-lock.ts';
import { checkAdvisories } from './advisories/check-advisories.ts';
import { checkImports, dropExplainedImports } from './imports/check-imports.ts';
import { type CheckedModel, checkModel } from './model/check-model.ts';
import { fetchModel } from './model/fetch-model.ts';
import type { FetchedModel } from './model/fetched-model.ts';
import { resolvePolicy, type ResolvedPolicy } from './policy.ts';
import { prepareVirtualenv } from './proof/prepare-virtualenv.ts';
import { type AnswerBesideProof, runProofStage } from './proof/proof-stage.ts';
import { checkBuilt } from './requirements/building/check-built.ts';
import { checkModelSize } from './size/check-size.ts';
import { checkWithdrawn } from './withdrawn/check-withdrawn.ts';
import { locateProblem, makeSubject, type Subject } from './subject.ts';
import type { EntityValidation, StageName, StageOutput, StageResult, Validation } from './validation.ts';
import { findLockedVirtualenv, listLockedPackages } from '../schemas/lock/find-locked-virtualenv.ts';
import { readOwn } from '../schemas/values/read-own.ts';

export interface ValidateOptions extends PythonOptions {
  /** The project folder. */
  readonly root: string;
  /** The endpoint's lock. Without one, every entity has an error. */
  readonly lock: Lock | undefined;
  /**
   * `lock` stops after the lock check, before any code of the model runs: for a preview, or to deploy what a review has
   * proved. That does not depend on a download of today, so a missing database of advisories is a warning. `fetch` does only
   * what needs credentials: it fetches the model and compares the lock with it.
   */
  readonly until?: 'lock' | 'fetch';
  /**
   * Whether the lock says which version an alias means. Default: with `until`, because what was reviewed is deployed;
   * else the registry says so, and another version than the locked one is an error.
   */
  readonly aliases?: 'checked' | 'locked' | undefined;
  /** Whether to query the index for withdrawn versions. Default: as the policy says, unless it stops at the lock. */
  readonly asksIndex?: boolean | undefined;
  /** The registries of the environments that the endpoint is for. */
  readonly registries?: readonly EnvironmentRegistry[] | undefined;
  /** Whether this run has no credentials although a registry needs some. */
  readonly withheld?: boolean | undefined;
  /** The environments that the endpoint is for, for the memory of their hardware. */
  readonly environments?: readonly Environment[] | undefined;
  /** The policies of the environments that the endpoint is for. */
  readonly policies?: readonly Policy[] | undefined;
  /** The services that the endpoint file of the base branch lets its models reach. Undefined: it compares with no base. */
  readonly acceptedServices?: readonly string[] | undefined;
  /** Whether the run is that of a fork or of Dependabot, whose models reach no service. */
  readonly isRestricted?: boolean | undefined;
  /** Runs models with the user's own rights. Undefined: the environment of the user decides. */
  readonly withoutSandbox?: boolean | undefined;
  readonly answerBesideProof?: AnswerBesideProof | undefined;
}

const CONCURRENCY = 2;

/**
 * Proves every entity of an endpoint: fetch, static checks, lock, virtualenv, prediction. An entity stops at a failure.
 */
export async function validateEndpoint(endpoint: Endpoint, options: ValidateOptions): Promise<Validation> {
  const subjects = endpoint.entities.map((entity) => makeSubject(endpoint, entity));
  const { entities, diagnostics } = await validateSubjects(subjects, options);
  const left = options.lock ? checkRemovedEntities(endpoint, options.lock) : [];
  return { endpoint: endpoint.name, entities, diagnostics: sortDiagnostics([...diagnostics, ...left]) };
}

/** Validates any list of subjects, which do not have to be a complete endpoint. */
export async function validateSubjects(
  subjects: readonly Subject[],
  options: ValidateOptions,
): Promise<Pick<Validation, 'entities' | 'diagnostics'>> {
  const resolved = { ...options, policy: resolvePolicy(options.policies) };
  const results = await mapConcurrent(subjects, CONCURRENCY, (subject) => validateSubject(subject, resolved));
  return {
    entities: results.map((r) => r.entity),
    diagnostics: sortDiagnostics(results.flatMap((r) => r.diagnostics)),
  };
}

interface SubjectOptions extends ValidateOptions {
  readonly policy: ResolvedPolicy;
}

async function validateSubject(
  subject: Subject,
  options: SubjectOptions,
): Promise<{ readonly entity: EntityValidation; readonly diagnostics: readonly Diagnostic[] }> {
  const stages: StageResult[] = [];
  const diagnostics: Diagnostic[] = [];
  const stage = async <T>(name: StageName, work: () => Promise<StageOutput<T>>): Promise<T | undefined> => {
    const started = performance.now();
    const { value, cached, diagnostics: found } = await work();
    stages.push({ name, seconds: Math.round(performance.now() - started) / 1000, cached });
    diagnostics.push(...found);
    return hasErrors(found) ? undefined : value;
  };
  const notes: Notes = { advisories: undefined };
  const proof = await runStages(subject, options, stage, notes);
  return {
    entity: { entity: subject.entity.name, model: subject.label, stages, proof, ...notes },
    diagnostics: dropExplainedImports(diagnostics),
  };
}

type RunStage = <T>(name: StageName, work: () => Promise<StageOutput<T>>) => Promise<T | undefined>;

/** What the stages find besides their results. */
interface Notes {
  advisories: string | undefined;
}

async function runStages(
  subject: Subject,
  options: SubjectOptions,
  stage: RunStage,
  notes: Notes,
): Promise<Proof | undefined> {
  const fetched = await stage('fetch', () => runFetchStage(subject, options));
  if (fetched === undefined) return undefined;
  const { folder } = fetched;
  const checked = await stage('check', () => runCheckStage(subject, folder, options));
  if (!checked) return undefined;
  const lock = await stage('lock', () =>
    runLockStage(subject, options, { checked, resolved: fetched.resolved, notes }),
  );
  if (!lock || options.until !== undefined) return undefined;
  const place = await stage('virtualenv', () => prepareVirtualenv(subject, lock, folder, options));
  if (!place) return undefined;
  return stage('proof', () => runProofStage(subject, { ...place, folder, lock }, options));
}

async function runFetchStage(
  subject: Subject,
  options: SubjectOptions,
): Promise<StageOutput<Pick<FetchedModel, 'resolved'> & { readonly folder: string }>> {
  const { lock, until, aliases = until === 'lock' ? 'locked' : 'checked' } = options;
  const locked = lock && readOwn(lock.entities, subject.entity.name)?.model;
  const { folder, diagnostics, resolved } = await fetchModel(subject, { ...options, locked, aliases });
  return { value: folder === undefined ? undefined : { folder, resolved }, cached: true, diagnostics };
}

async function runCheckStage(
  subject: Subject,
  folder: string,
  options: SubjectOptions,
): Promise<StageOutput<CheckedModel>> {
  const packages = options.lock && listLockedPackages(options.lock, subject.entity.name);
  const { checked, diagnostics } = await checkModel(subject, folder, { ...options, packages });
  const size = checked ? await checkModelSize(subject, checked.model, options.environments) : [];
  return { value: checked, cached: false, diagnostics: [...diagnostics, ...size] };
}

/** Also compares the packages of a valid lock with known vulnerabilities. */
async function runLockStage(
  subject: Subject,
  options: SubjectOptions,
  {
    checked,
    resolved,
    notes,
  }: { readonly checked: CheckedModel; readonly notes: Notes } & Pick<FetchedModel, 'resolved'>,
): Promise<StageOutput<Lock>> {
  const { lock } = options;
  const diagnostics = lock ? [...checkLockedEntity(subject, lock, checked, resolved)] : [reportMissingLock(subject)];
  if (!lock || hasErrors(diagnostics) || options.until === 'fetch') return { value: lock, cached: false, diagnostics };
  const built = checkBuilt(subject, listLockedPackages(lock, subject.entity.name), options.policy);
  diagnostics.push(...built.map((p) => locateProblem(subject, p)));
  const virtualenv = findLockedVirtualenv(lock, subject.entity.name);
  const compared = { ...options, isReviewed: options.until === 'lock', requirements: checked.requirements };
  const advisories = await checkAdvisories(subject, listLockedPackages(lock, subject.entity.name), compared);
  notes.advisories = advisories.summary;
  const withdrawn = await checkWithdrawn(subject, virtualenv, checked, options);
  // Only in a review: what is deployed was proved to load.
  const isReviewed = options.until === 'lock' || !virtualenv;
  const imports = isReviewed ? [] : await checkImports(subject, checked, virtualenv, options);
  return {
    value: lock,
    cached: false,
    diagnostics: [...diagnostics, ...advisories.diagnostics, ...withdrawn, ...imports],
  };
}
