import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { Endpoint, Entity } from '../../schemas/endpoint/endpoint.ts';
import type { Policy } from '../../schemas/environment/policy.ts';
import type { Lock } from '../../schemas/lock/lock.ts';
import { declarationsRoot } from '../../schemas/read-project.ts';
import type { Comparison } from '../../schemas/report/comparison.ts';
import type { EntityReport } from '../../schemas/report/report.ts';
import { readOwn } from '../../schemas/values/read-own.ts';
import { checkComparison } from '../../validation/comparison/check-comparison.ts';
import { compareEntity, type ComparedVersion } from '../../validation/comparison/compare-entity.ts';
import {
  type EntityPair,
  hasTraffic,
  type LockedEndpoint,
  pairEntities,
} from '../../validation/comparison/pair-entities.ts';
import { fetchModel } from '../../validation/model/fetch-model.ts';
import { type ComparisonPolicy, resolveComparisonPolicy } from '../../validation/policy.ts';
import { makeSubject, type Subject } from '../../validation/subject.ts';
import type { ProjectRequest } from '../project.ts';
import { findBaseModel, readBaseEndpoint } from './read-base.ts';

export interface CompareRequest {
  readonly request: ProjectRequest;
  /** The commit that the review compares with. Undefined: there is none. */
  readonly base: string | undefined;
  readonly policies: readonly Policy[];
}

/** The head of an endpoint, validated. */
export interface ValidatedEndpoint {
  readonly endpoint: Endpoint;
  /** The lock that the validation has used. */
  readonly lock: Lock;
  readonly entities: readonly EntityReport[];
}

interface ComparedEntities {
  readonly entities: readonly EntityReport[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Adds to each entity what it changes against the one that it replaces on the base branch. */
export async function compareChanged(now: ValidatedEndpoint, compare: CompareRequest): Promise<ComparedEntities> {
  const { request, base, policies } = compare;
  if (base === undefined) return { entities: now.entities, diagnostics: [] };
  const old = await readBaseEndpoint(now.endpoint.name, { ...request, base });
  if (!old) return { entities: now.entities, diagnostics: [] };
  const work = { old, now, base, request, policy: resolveComparisonPolicy(policies) };
  const diagnostics: Diagnostic[] = [];
  const compared = new Map<string, Comparison>();
  for (const pair of pairEntities(old, now)) {
    const found = await comparePair(pair, work);
    if (!found) continue;
    compared.set(pair.new.name, found.comparison);
    diagnostics.push(...found.diagnostics);
  }
  const entities = now.entities.map((e) => {
    const comparison = compared.get(e.entity);
    return comparison ? { ...e, comparison } : e;
  });
  return { entities, diagnostics };
}

interface CompareWork {
  readonly old: LockedEndpoint;
  readonly now: ValidatedEndpoint;
  readonly base: string;
  readonly request: ProjectRequest;
  readonly policy: ComparisonPolicy;
}

async function comparePair({ old, new: entity }: EntityPair, work: CompareWork) {
  const { now, request, policy } = work;
  const subject = makeSubject(now.endpoint, entity);
  const reason = now.endpoint.breaking;
  const hasOldReason = reason !== undefined && reason === work.old.endpoint.breaking && isLockOf(old, work.old.lock);
  const comparison = await compareEntity(
    makeOldVersion(old, work),
    { subject, lock: now.lock, findModel: () => findModel(subject, request) },
    {
      ...request,
      policy,
      breaking: hasOldReason ? undefined : reason,
      isProven: now.entities.find((e) => e.entity === entity.name)?.proof != null,
    },
  );
  if (!comparison) return undefined;
  const context = { subject, policy, hasTraffic: hasTraffic(now.endpoint, entity.name), hasOldReason };
  return { comparison, diagnostics: checkComparison(comparison, context) };
}

/** A merge without its lock has changed nothing yet: what serves is the model of the old lock. */
function isLockOf({ name, model }: Entity, { entities }: Lock): boolean {
  const locked = readOwn(entities, name)?.model;
  return locked?.name === model.name && locked.version === model.version && locked.uri === model.uri;
}

function makeOldVersion(entity: Entity, { old, base, request }: CompareWork): ComparedVersion {
  const locked = readOwn(old.lock.entities, entity.name)?.model;
  const model = locked ? { name: locked.name, version: locked.version, uri: locked.uri } : entity.model;
  const subject = makeSubject(old.endpoint, { ...entity, model });
  const digest = locked?.digest ?? '';
  return { subject, lock: old.lock, findModel: () => findBaseModel(subject, digest, { ...request, base }) };
}

async function findModel(subject: Subject, { place, progress, signal }: ProjectRequest): Promise<string> {
  const { folder, diagnostics } = await fetchModel(subject, { root: declarationsRoot(place), progress, signal });
  if (folder === undefined) throw new Error(diagnostics[0]?.message);
  return folder;
}
