import { type Diagnostic, sortDiagnostics } from '../schemas/diagnostic.ts';
import type { Endpoint, Entity } from '../schemas/endpoint/endpoint.ts';
import { readLock } from '../schemas/read-project.ts';
import { machineConcurrency, mapConcurrent } from '../system/map-concurrent.ts';
import type { Lock } from '../schemas/lock/lock.ts';
import { checkNewEntities } from '../validation/check-lock.ts';
import { parseRequirement, type Requirement } from '../validation/requirements/parse-requirements.ts';
import { checkAdvisories } from '../validation/advisories/check-advisories.ts';
import { openAdvisories, refreshAdvisories } from '../validation/advisories/database.ts';
import { resolvePolicy } from '../validation/policy.ts';
import { locateProblem, makeSubject } from '../validation/subject.ts';
import { describeWithdrawn } from '../validation/withdrawn/describe-withdrawn.ts';
import { findWithdrawn, summarizeWithdrawn, type WithdrawnSummary } from '../validation/withdrawn/find-withdrawn.ts';
import type { ProjectRequest } from './project-request.ts';
import { readOwn } from '../schemas/values/read-own.ts';
import { catchOutage } from './catch-outage.ts';

export interface AuditRequest extends ProjectRequest {
  /** An export of the OSV database. Undefined: the newest one of osv.dev. */
  readonly database: string | undefined;
}

export interface AuditedEntity {
  readonly endpoint: string;
  readonly entity: string;
  readonly summary: string;
  /** When the package index was queried for withdrawn versions. */
  readonly withdrawn: WithdrawnSummary;
}

export interface AuditResult {
  readonly entities: readonly AuditedEntity[];
  readonly diagnostics: readonly Diagnostic[];
  /** Why the database is not the newest one. */
  readonly stale: string | undefined;
  /** Whether there is no database at all for that reason. The package index was queried nevertheless. */
  readonly isMissing: boolean;
}

/**
 * Refreshes the database of advisories and compares every locked package with it, and queries the package index for
 * withdrawn versions. Without internet, uses the database of an earlier refresh. An outage of one does not stop the other.
 */
export async function auditEndpoints(endpoints: readonly Endpoint[], request: AuditRequest): Promise<AuditResult> {
  if (endpoints.length === 0) return { entities: [], diagnostics: [], stale: undefined, isMissing: false };
  const stale = await refreshOrKeep(request);
  const audited = await mapConcurrent(endpoints, machineConcurrency(), (endpoint) => auditEndpoint(endpoint, request));
  return {
    entities: audited.flatMap((a) => a.entities),
    diagnostics: sortDiagnostics(audited.flatMap((a) => a.diagnostics)),
    stale,
    isMissing: stale !== undefined && !(await openAdvisories()),
  };
}

type AuditedEndpoint = Pick<AuditResult, 'entities' | 'diagnostics'>;

async function auditEndpoint(endpoint: Endpoint, request: AuditRequest): Promise<AuditedEndpoint> {
  const { value: lock, diagnostics: found } = await readLock(request.place, endpoint.name);
  if (!lock) return { entities: [], diagnostics: found };
  const entities: AuditedEntity[] = [];
  const diagnostics = [...found, ...checkNewEntities(endpoint, lock)];
  for (const entity of endpoint.entities) {
    const audited = await auditEntity(endpoint, entity, { lock, request });
    if (!audited) continue;
    entities.push(audited.entity);
    diagnostics.push(...audited.diagnostics);
  }
  return { entities, diagnostics };
}

/** Undefined: the lock has no such entity. */
async function auditEntity(
  endpoint: Endpoint,
  entity: Entity,
  { lock, request }: { readonly lock: Lock; readonly request: AuditRequest },
) {
  const locked = readOwn(lock.entities, entity.name);
  const virtualenv = locked && lock.virtualenvs[locked.virtualenv];
  if (!virtualenv) return undefined;
  const { progress, signal } = request;
  const subject = makeSubject(endpoint, entity);
  const requirements = readRequirements(locked.requirements);
  const options = { progress, signal, requirements, policy: resolvePolicy(), isRefreshed: true };
  const { summary, diagnostics } = await checkAdvisories(subject, virtualenv.packages, options);
  const withdrawn = await findWithdrawn(virtualenv, { progress, signal, asksIndex: true });
  const problems = describeWithdrawn(subject, requirements, withdrawn.packages);
  return {
    entity: { endpoint: endpoint.name, entity: entity.name, summary, withdrawn: summarizeWithdrawn([withdrawn]) },
    diagnostics: [...diagnostics, ...problems.map((p) => locateProblem(subject, p))],
  };
}

/** A lock does not say in which file of the model a requirement is. */
function readRequirements(texts: readonly string[]): readonly Requirement[] {
  const at = { file: 'MLmodel', line: 1, column: 1 };
  return texts.filter((text) => !text.startsWith('-c ')).flatMap((text) => parseRequirement(text, at) ?? []);
}

/** Returns why the database stays as it is. A file that the user named is no outage. */
async function refreshOrKeep({ database, progress, signal }: AuditRequest): Promise<string | undefined> {
  const refresh = () => refreshAdvisories(database, { progress, signal });
  if (database === undefined) return (await catchOutage(signal, refresh)).outage ?? undefined;
  await refresh();
  return undefined;
}
