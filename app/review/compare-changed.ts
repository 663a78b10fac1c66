import { type Diagnostic, hasErrors } from '../../schemas/diagnostic.ts';
import type { Endpoint, Entity, ModelReference } from '../../schemas/endpoint/endpoint.ts';
import type { Policy } from '../../schemas/environment/policy.ts';
import type { Lock, LockedEntity } from '../../schemas/lock/lock.ts';
import { declarationsRoot } from '../../schemas/read-project.ts';
import type { Comparison } from '../../schemas/report/comparison.ts';
import type { EntityReport } from '../../schemas/report/report.ts';
import { findWrittenVersion, isSameModel } from '../../schemas/lock/is-same-model.ts';
import { renderNetworkAddress } from '../../schemas/values/network-address.ts';
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
import { locateDownload } from '../../system/locate-model.ts';
import { readKeptCard } from '../../validation/card/kept-card.ts';
import { readRegistryCard } from '../../validation/card/read-registry-card.ts';
import type { FetchOptions } from '../../validation/model/fetched-model.ts';
import { fetchModel } from '../../validation/model/fetch-model.ts';
import { allowServices, type NetworkRules } from '../../validation/network/allow-services.ts';
import { type ComparisonPolicy, resolveComparisonPolicy, resolvePolicy } from '../../validation/policy.ts';
import { makeSubject, type Subject } from '../../validation/subject.ts';
import type { ProjectRequest } from '../project-request.ts';
import type { Fetched } from './fetched.ts';
import { type HandedOver, requireHandedOver, requireVirtualenv } from './handed-over.ts';
import { findBaseModel, readBaseEndpoint } from './read-base.ts';

export interface CompareRequest {
  readonly request: ProjectRequest;
  /** The commit that the review compares with. Undefined: there is none. */
  readonly base: string | undefined;
  readonly policies: readonly Policy[];
  /** The services that the endpoint file of the base names. Undefined: there is no base. */
  readonly acceptedServices: readonly string[] | undefined;
  /** Whether the run is that of a fork or of Dependabot, whose models reach no service. */
  readonly isRestricted?: boolean | undefined;
  readonly registries: FetchOptions['registries'];
  /** What an earlier job with credentials has fetched. Undefined: there is no such job, so this one may query registries. */
  readonly fetched?: Fetched | undefined;
  /** The folders of old models that this review has found, by digest: to find one, all its files are hashed. */
  readonly oldModels?: Map<string, Promise<string>> | undefined;
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
  const { request, base, policies, acceptedServices, isRestricted, registries, fetched, oldModels } = compare;
  const nothing = { entities: now.entities, diagnostics: [], outage: null };
  if (base === undefined) return nothing;
  const policy = resolveComparisonPolicy(policies);
  const report = (entities: readonly Entity[], why: string) =>
    entities.map((entity) => reportWrongBase(makeSubject(now.endpoint, entity), policy, why));
  const old = await readBaseEndpoint(now.endpoint.name, { ...request, base }).catch(returnComparisonError);
  if (!old) return nothing;
  if (old instanceof ComparisonError)
    return { ...nothing, diagnostics: report(now.endpoint.entities.slice(0, 1), old.message) };
  const rules = { policy: resolvePolicy(policies), acceptedServices, isRestricted };
  const work = { old, now, base, request, registries, policy, rules, fetched, oldModels };
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

/** The versions of the base branch that an endpoint will be compared with. None where the base cannot be read. */
export async function listOldVersions(
  now: LockedEndpoint,
  { request, base, registries }: Omit<CompareRequest, 'policies' | 'acceptedServices'>,
): Promise<readonly ComparedVersion[]> {
  if (base === undefined) return [];
  const old = await readBaseEndpoint(now.endpoint.name, { ...request, base }).catch(returnComparisonError);
  if (!old || old instanceof ComparisonError) return [];
  const locked = pairEntities(old, now).filter((pair) => Object.hasOwn(old.lock.entities, pair.old.name));
  return locked.map((pair) => makeOldVersion(pair.old, { old, base, request, registries }));
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
  readonly fetched?: Fetched | undefined;
  readonly oldModels?: CompareRequest['oldModels'];
  readonly policy: ComparisonPolicy;
  readonly rules: NetworkRules;
}

async function comparePair({ old, new: entity }: EntityPair, work: CompareWork) {
  const { now, request, policy } = work;
  const subject = makeSubject(now.endpoint, entity);
  const reason = now.endpoint.breaking;
  const hasOldReason = reason !== undefined && reason === work.old.endpoint.breaking && isLockOf(old, work.old.lock);
  const compared = await compareEntity(
    makeOldVersion(old, work),
    {
      ...{ subject, lock: now.lock, findModel: () => findModel(subject, work) },
      readRegistryCard: (folder) => readCard(subject, { folder, lock: now.lock }, work),
      services: allowServices(entity, work.rules),
    },
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

/** What the endpoint file says about the model of a lock. */
function makeReference(locked: LockedEntity['model']): ModelReference {
  return { name: locked.name, version: findWrittenVersion(locked), uri: locked.uri };
}

/** A merge without its lock has changed nothing yet: what serves is the model of the old lock. */
function isLockOf({ name, model }: Entity, { entities }: Lock): boolean {
  const locked = readOwn(entities, name);
  return locked !== undefined && isSameModel(model, locked.model);
}

/** To fetch a version, no rules are needed. */
type OldVersionWork = Pick<CompareWork, 'old' | 'base' | 'request' | 'registries' | 'fetched' | 'oldModels'> &
  Partial<Pick<CompareWork, 'rules'>>;

export function makeOldVersion(entity: Entity, work: OldVersionWork): ComparedVersion {
  const { old, base, request, registries, fetched, rules, oldModels } = work;
  const locked = readOwn(old.lock.entities, entity.name)?.model;
  if (!locked) throw new RangeError(`the lock of the base has no "${entity.name}"`);
  const made = makeSubject(old.endpoint, { ...entity, model: makeReference(locked) });
  const subject = { ...made, label: `${locked.name} ${locked.version}` };
  return {
    ...{ subject, lock: old.lock },
    findModel: async () => {
      const handedOver = findHandedOver(old.endpoint.name, fetched);
      if (handedOver) requireHandedOver(handedOver.old[entity.name]);
      const withheld = fetched === 'withheld';
      const found =
        oldModels?.get(locked.digest) ?? findBaseModel(subject, locked, { ...request, base, registries, withheld });
      oldModels?.set(locked.digest, found);
      // Another entity with the same model may have another source.
      found.catch(() => oldModels?.delete(locked.digest));
      const folder = await found;
      if (handedOver)
        await requireVirtualenv({ lock: old.lock, entity: entity.name }, handedOver.old[entity.name], request);
      return folder;
    },
    // The base itself names them.
    services: rules ? allowServices(entity, { ...rules, acceptedServices: listServices(entity) }) : [],
    readRegistryCard: (folder) => readCard(subject, { folder, lock: old.lock }, work),
  };
}

function listServices({ network = [] }: Entity): readonly string[] {
  return network.map(renderNetworkAddress);
}

/** Only of a model that was downloaded: a folder of the repository may have the name of another model in the registry. */
export async function readCard(
  subject: Subject,
  { folder, lock }: { readonly folder: string; readonly lock: Lock },
  { request, registries, fetched }: Pick<CompareWork, 'request' | 'registries' | 'fetched'>,
) {
  const { place, progress, signal } = request;
  const locked = readOwn(lock.entities, subject.entity.name)?.model;
  if (!locked || folder !== locateDownload(locked.digest)) return undefined;
  if (fetched !== undefined) return readKeptCard(locked);
  return readRegistryCard(subject, locked, { root: declarationsRoot(place), progress, signal, registries });
}

/** Undefined also where the job has left nothing, because then nothing is compared. */
function findHandedOver(endpoint: string, fetched: Fetched | undefined): HandedOver | undefined {
  if (fetched === undefined || fetched === 'withheld' || 'missing' in fetched) return undefined;
  return fetched.get(endpoint)?.handedOver;
}

async function findModel(subject: Subject, { now, request, registries, fetched }: CompareWork): Promise<string> {
  const { place, progress, signal } = request;
  const locked = readOwn(now.lock.entities, subject.entity.name)?.model;
  const withheld = fetched === 'withheld';
  const options = {
    root: declarationsRoot(place),
    progress,
    signal,
    registries,
    locked,
    withheld,
    aliases: 'locked',
  } as const;
  const { folder, diagnostics } = await fetchModel(subject, options);
  if (folder === undefined) throw new ComparisonError(diagnostics[0]?.message);
  return folder;
}
