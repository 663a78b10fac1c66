import { type Diagnostic, hasErrors } from '../../schemas/diagnostic.ts';
import type { Endpoint, Entity, ModelReference } from '../../schemas/endpoint/endpoint.ts';
import type { Policy } from '../../schemas/environment/policy.ts';
import type { Lock, LockedEntity } from '../../schemas/lock/lock.ts';
import { declarationsRoot } from '../../schemas/read-project.ts';
import type { Comparison } from '../../schemas/report/comparison.ts';
import type { EntityReport } from '../../schemas/report/report.ts';
import { contentHash } from '../../schemas/values/names.ts';
import { readOwn } from '../../schemas/values/read-own.ts';
import {
  checkComparison,
  findComparisonOutage,
  reportWrongBase,
} from '../../validation/comparison/check-comparison.ts';
import { ComparisonError } from '../../validation/comparison/comparison-error.ts';
import { compareEntity, type ComparedVersion } from '../../validation/comparison/compare-entity.ts';
import {
  type EntityPair,
  hasTraffic,
  type LockedEndpoint,
  pairEntities,
} from '../../validation/comparison/pair-entities.ts';
import type { FetchOptions } from '../../validation/model/fetched-model.ts';
import { fetchModel } from '../../validation/model/fetch-model.ts';
import { type ComparisonPolicy, resolveComparisonPolicy } from '../../validation/policy.ts';
import { makeSubject, type Subject } from '../../validation/subject.ts';
import type { ProjectRequest } from '../project-request.ts';
import { findBaseModel, readBaseEndpoint } from './read-base.ts';

export interface CompareRequest {
  readonly request: ProjectRequest;
  /** The commit that the review compares with. Undefined: there is none. */
  readonly base: string | undefined;
  readonly policies: readonly Policy[];
  readonly registries: FetchOptions['registries'];
}

/** The head of an endpoint, validated. */
export interface ValidatedEndpoint {
  readonly endpoint: Endpoint;
  /** The lock that the validation has used. */
  readonly lock: Lock;
  readonly entities: readonly EntityReport[];
  readonly diagnostics: readonly Diagnostic[];
}

interface ComparedEntities {
  readonly entities: readonly EntityReport[];
  readonly diagnostics: readonly Diagnostic[];
  /** What leaves unknown whether the predictions are within a limit of the policy. */
  readonly outage: string | null;
}

/** Adds to each entity what it changes against the one that it replaces on the base branch. */
export async function compareChanged(now: ValidatedEndpoint, compare: CompareRequest): Promise<ComparedEntities> {
  const { request, base, policies, registries } = compare;
  const nothing = { entities: now.entities, diagnostics: [], outage: null };
  if (base === undefined) return nothing;
  const policy = resolveComparisonPolicy(policies);
  const report = (entities: readonly Entity[], why: string) =>
    entities.map((entity) => reportWrongBase(makeSubject(now.endpoint, entity), policy, why));
  const old = await readBaseEndpoint(now.endpoint.name, { ...request, base }).catch(returnComparisonError);
  if (!old) return nothing;
  if (old instanceof ComparisonError)
    return { ...nothing, diagnostics: report(now.endpoint.entities.slice(0, 1), old.message) };
  const work = { old, now, base, request, registries, policy };
  const pairs = pairEntities(old, now);
  const isLocked = (pair: EntityPair) => Object.hasOwn(old.lock.entities, pair.old.name);
  const diagnostics = pairs
    .filter((pair) => !isLocked(pair))
    .flatMap((pair) => report([pair.new], `its lock there has no "${pair.old.name}"`));
  let outage: string | null = null;
  const compared = new Map<string, Comparison>();
  for (const pair of pairs.filter(isLocked)) {
    const found = await comparePair(pair, work);
    if (!found) continue;
    compared.set(pair.new.name, found.comparison);
    diagnostics.push(...found.diagnostics);
    outage ??= found.outage ?? null;
  }
  const entities = now.entities.map((e) => {
    const comparison = compared.get(e.entity);
    return comparison ? { ...e, comparison } : e;
  });
  return { entities, diagnostics, outage };
}

function returnComparisonError(error: unknown): ComparisonError {
  if (error instanceof ComparisonError) return error;
  throw error;
}

interface CompareWork {
  readonly old: LockedEndpoint;
  readonly now: ValidatedEndpoint;
  readonly base: string;
  readonly request: ProjectRequest;
  readonly registries: FetchOptions['registries'];
  readonly policy: ComparisonPolicy;
}

async function comparePair({ old, new: entity }: EntityPair, work: CompareWork) {
  const { now, request, policy } = work;
  const subject = makeSubject(now.endpoint, entity);
  const reason = now.endpoint.breaking;
  const hasOldReason = reason !== undefined && reason === work.old.endpoint.breaking && isLockOf(old, work.old.lock);
  const compared = await compareEntity(
    makeOldVersion(old, work),
    { subject, lock: now.lock, findModel: () => findModel(subject, work) },
    {
      ...request,
      policy,
      breaking: hasOldReason ? undefined : reason,
      isProven: now.entities.find((e) => e.entity === entity.name)?.proof != null,
    },
  );
  if (!compared) return undefined;
  const { comparison, missing } = compared;
  const isRefused = hasErrors(now.diagnostics);
  const context = {
    subject,
    policy,
    hasTraffic: hasTraffic(now.endpoint, entity.name),
    hasOldReason,
    missing,
    isRefused,
  };
  return { comparison, diagnostics: checkComparison(comparison, context), outage: findComparisonOutage(context) };
}

/** What the endpoint file says about the model of a lock. An alias in `model_uri` leaves the version as it is. */
function makeReference({ name, version, uri, resolved }: LockedEntity['model']): ModelReference {
  return { name, version: uri === undefined ? (resolved?.from ?? version) : version, uri };
}

/** A merge without its lock has changed nothing yet: what serves is the model of the old lock. */
function isLockOf({ name, model }: Entity, { entities }: Lock): boolean {
  const locked = readOwn(entities, name);
  return locked !== undefined && contentHash(makeReference(locked.model)) === contentHash(model);
}

function makeOldVersion(entity: Entity, { old, base, request, registries }: CompareWork): ComparedVersion {
  const locked = readOwn(old.lock.entities, entity.name)?.model;
  if (!locked) throw new RangeError(`the lock of the base has no "${entity.name}"`);
  const made = makeSubject(old.endpoint, { ...entity, model: makeReference(locked) });
  const subject = { ...made, label: `${locked.name} ${locked.version}` };
  return { subject, lock: old.lock, findModel: () => findBaseModel(subject, locked, { ...request, base, registries }) };
}

async function findModel(subject: Subject, { now, request, registries }: CompareWork): Promise<string> {
  const { place, progress, signal } = request;
  const locked = readOwn(now.lock.entities, subject.entity.name)?.model;
  const options = { root: declarationsRoot(place), progress, signal, registries, locked, aliases: 'locked' } as const;
  const { folder, diagnostics } = await fetchModel(subject, options);
  if (folder === undefined) throw new ComparisonError(diagnostics[0]?.message);
  return folder;
}
