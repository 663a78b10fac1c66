import {
  ensureVirtualenv,
  isVirtualenvComplete,
  locateVirtualenv,
  makeVirtualenvRequest,
  type Virtualenv,
} from '../python/ensure-virtualenv.ts';
import { VirtualenvError } from '../python/virtualenv-error.ts';
import type { PythonOptions } from '../python/find-uv.ts';
import { type Diagnostic, hasErrors, sortDiagnostics } from '../schemas/diagnostic.ts';
import type { Endpoint } from '../schemas/endpoint/endpoint.ts';
import type { EnvironmentRegistry } from '../schemas/environment/model-registry.ts';
import type { Policy } from '../schemas/environment/policy.ts';
import type { Lock, LockedPackage } from '../schemas/lock/lock.ts';
import type { Proof } from '../schemas/lock/proof.ts';
import { SILENT, withProgress } from '../system/progress.ts';
import { mapConcurrent } from '../system/map-concurrent.ts';
import { checkRemovedEntities, checkLockedEntity, reportMissingLock } from './check-lock.ts';
import { checkAdvisories } from './advisories/check-advisories.ts';
import { checkImports, dropExplainedImports } from './imports/check-imports.ts';
import { checkCases } from './proof/check-cases.ts';
import { checkMemory } from './proof/check-memory.ts';
import { type CheckedModel, checkModel } from './model/check-model.ts';
import { fetchModel } from './model/fetch-model.ts';
import type { FetchedModel } from './model/fetched-model.ts';
import { checkPickles } from './pickles/check-pickles.ts';
import { resolvePolicy, type ResolvedPolicy } from './policy.ts';
import { makeProofKey, proveModel, readProof } from './proof/prove-model.ts';
import { chooseSandbox, isSandboxWaived, type MissingSandbox, type Sandbox } from '../sandbox/sandbox.ts';
import { warnWithoutSandbox } from './proof/warn-without-sandbox.ts';
import { makeSubject, type Subject, makeSubjectError } from './subject.ts';
import type { EntityValidation, StageName, StageResult, Validation } from './validation.ts';
import { readOwn } from '../schemas/values/read-own.ts';

export interface ValidateOptions extends PythonOptions {
  /** The project folder. */
  readonly root: string;
  /** The endpoint's lock. Without one, every entity has an error. */
  readonly lock: Lock | undefined;
  /**
   * Stops after the lock check, before any code of the model runs: for a preview, or to deploy what a review has proved.
   * That does not depend on a download of today, so a missing database of advisories is a warning.
   */
  readonly until?: 'lock';
  /**
   * Whether the lock says which version an alias means. Default: with `until`, because what was reviewed is deployed;
   * else the registry says so, and another version than the locked one is an error.
   */
  readonly aliases?: 'checked' | 'locked' | undefined;
  /** The registries of the environments that the endpoint is for. */
  readonly registries?: readonly EnvironmentRegistry[] | undefined;
  /** The policies of the environments that the endpoint is for. */
  readonly policies?: readonly Policy[] | undefined;
  /** Runs models with the user's own rights. Undefined: the environment of the user decides. */
  readonly withoutSandbox?: boolean | undefined;
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

interface StageOutput<T> {
  /** Undefined if the entity stops after this stage. */
  readonly value: T | undefined;
  readonly cached: boolean;
  readonly diagnostics: readonly Diagnostic[];
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
  if (!lock || options.until === 'lock') return undefined;
  const place = await stage('virtualenv', () => runVirtualenvStage(subject, lock, folder, options));
  if (!place) return undefined;
  return stage('proof', () => runProofStage(subject, { ...place, folder }, lock, options));
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
  const { checked, diagnostics } = await checkModel(subject, folder, options);
  return { value: checked, cached: false, diagnostics };
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
  const diagnostics = lock ? checkLockedEntity(subject, lock, checked, resolved) : [reportMissingLock(subject)];
  if (!lock || hasErrors(diagnostics)) return { value: lock, cached: false, diagnostics };
  const compared = { ...options, isReviewed: options.until === 'lock' };
  const advisories = await checkAdvisories(subject, listPackages(subject, lock), compared);
  notes.advisories = advisories.summary;
  const imports = await checkLockedImports(subject, lock, checked, options);
  return { value: lock, cached: false, diagnostics: [...diagnostics, ...advisories.diagnostics, ...imports] };
}

/** Only in a review: what is deployed was proved to load. */
async function checkLockedImports(
  subject: Subject,
  lock: Lock,
  checked: CheckedModel,
  options: SubjectOptions,
): Promise<readonly Diagnostic[]> {
  const virtualenv = lock.virtualenvs[readOwn(lock.entities, subject.entity.name)?.virtualenv ?? ''];
  return options.until === 'lock' || !virtualenv ? [] : checkImports(subject, checked, virtualenv, options);
}

function listPackages({ entity }: Subject, lock: Lock): readonly LockedPackage[] {
  return lock.virtualenvs[readOwn(lock.entities, entity.name)?.virtualenv ?? '']?.packages ?? [];
}

interface PreparedVirtualenv {
  readonly virtualenv: Virtualenv;
  readonly key: string;
  /** An earlier proof of the same model in the same virtualenv. */
  readonly proof: Proof | undefined;
  /** The sandbox for the model. Undefined: the user has said that it runs with the user's own rights. */
  readonly openSandbox: () => Promise<Sandbox | undefined>;
}

/**
 * Skips the virtualenv if the cache has a proof. Trusts a complete virtualenv without checking its files. Without a proof
 * and without a sandbox, nothing of the model's packages is installed.
 */
async function runVirtualenvStage(
  subject: Subject,
  lock: Lock,
  folder: string,
  options: SubjectOptions,
): Promise<StageOutput<PreparedVirtualenv>> {
  const request = makeVirtualenvRequest(lock, subject.entity.name, folder);
  const locked = readOwn(lock.entities, subject.entity.name);
  try {
    const known = await locateVirtualenv(request, options);
    const key = known && locked && (await makeProofKey(subject, locked, known));
    const proof = key === undefined ? undefined : await readProof(key);
    if (known && key !== undefined && proof && (proof.sandboxed || isSandboxWaived(options.withoutSandbox)))
      return {
        value: { virtualenv: known, key, proof, openSandbox: () => findUsable(options) },
        cached: true,
        diagnostics: [],
      };
    const sandbox = await chooseSandbox(options.withoutSandbox);
    if (sandbox && 'why' in sandbox)
      return { value: undefined, cached: false, diagnostics: [reportMissingSandbox(subject, sandbox)] };
    const cached = known !== undefined && (await isVirtualenvComplete(known));
    const virtualenv = cached ? known : await ensureVirtualenv(request, { ...options, sandbox });
    const wanted = key ?? (locked ? await makeProofKey(subject, locked, virtualenv) : '');
    const openSandbox = () => Promise.resolve(sandbox);
    return { value: { virtualenv, key: wanted, proof: undefined, openSandbox }, cached, diagnostics: [] };
  } catch (e) {
    if (!(e instanceof VirtualenvError)) throw e;
    return { value: undefined, cached: false, diagnostics: [makeSubjectError(subject, e.kind, e.message, e.hint)] };
  }
}

/** For a model that is proved already: only its pickles may have to be scanned again, by a program of Davit's. */
async function findUsable({ withoutSandbox }: ValidateOptions): Promise<Sandbox | undefined> {
  const sandbox = await chooseSandbox(withoutSandbox);
  return sandbox && 'why' in sandbox ? undefined : sandbox;
}

function reportMissingSandbox(subject: Subject, { why, hint }: MissingSandbox): Diagnostic {
  const message = `Cannot prove ${subject.label}: its code runs only in a sandbox, and ${why}`;
  return makeSubjectError(subject, 'sandbox-missing', message, hint);
}

async function runProofStage(
  subject: Subject,
  { virtualenv, key, proof: earlier, openSandbox, folder }: PreparedVirtualenv & { readonly folder: string },
  lock: Lock,
  options: SubjectOptions,
): Promise<StageOutput<Proof>> {
  const locked = readOwn(lock.entities, subject.entity.name);
  const [digest, cases] = [locked?.model.digest ?? '', locked?.validation ?? []];
  const judge = (proof: Proof) => [
    ...checkMemory(subject.entity, proof),
    ...checkCases(subject, proof, options.policy),
  ];
  const prepare = async () => {
    const sandbox = await openSandbox();
    await ensureVirtualenv(makeVirtualenvRequest(lock, subject.entity.name, folder), { ...options, sandbox });
    return sandbox;
  };
  const pickles = await checkPickles(subject, { folder, virtualenv, digest, prepare }, options);
  if (hasErrors(pickles)) return { value: undefined, cached: false, diagnostics: pickles };
  if (earlier) return { value: earlier, cached: true, diagnostics: [...pickles, ...judge(earlier)] };
  const { progress = SILENT, signal } = options;
  const sandbox = await openSandbox();
  if (!sandbox) warnWithoutSandbox(progress);
  const packages = listPackages(subject, lock);
  const elsewhere = Object.values(lock.virtualenvs).flatMap((v) => v.packages.map((p) => p.name));
  const { proof, diagnostics } = await withProgress(progress, `Proving ${subject.label} (loads it and predicts)`, () =>
    proveModel(
      subject,
      { folder, key, packages, elsewhere, cases, hidesPredictions: !options.policy.showPredictions },
      { virtualenv, sandbox, signal },
    ),
  );
  return {
    value: proof,
    cached: false,
    diagnostics: [...pickles, ...diagnostics, ...(proof ? judge(proof) : [])],
  };
}
