import { type Diagnostic, sortDiagnostics } from '../schemas/diagnostic.ts';
import type { Endpoint } from '../schemas/endpoint/endpoint.ts';
import { readLock } from '../schemas/read-project.ts';
import { checkAdvisories } from '../validation/advisories/check-advisories.ts';
import { openAdvisories, refreshAdvisories } from '../validation/advisories/database.ts';
import { resolvePolicy } from '../validation/policy.ts';
import { makeSubject } from '../validation/subject.ts';
import type { ProjectRequest } from './project-request.ts';
import { readOwn } from '../schemas/values/read-own.ts';
import { readErrorMessage } from '../schemas/values/read-error-message.ts';

export interface AuditRequest extends ProjectRequest {
  /** An export of the OSV database. Undefined: the newest one of osv.dev. */
  readonly database: string | undefined;
}

export interface AuditResult {
  readonly entities: readonly { readonly endpoint: string; readonly entity: string; readonly summary: string }[];
  readonly diagnostics: readonly Diagnostic[];
  /** Why the database is not the newest one. */
  readonly stale: string | undefined;
}

/**
 * Refreshes the database of advisories and compares every locked package with it. Without internet, uses the database
 * of an earlier refresh. Throws if there is none.
 */
export async function auditEndpoints(endpoints: readonly Endpoint[], request: AuditRequest): Promise<AuditResult> {
  const { place, database, progress, signal } = request;
  if (endpoints.length === 0) return { entities: [], diagnostics: [], stale: undefined };
  const stale = await refreshOrKeep(database, { progress, signal });
  const audited = await Promise.all(
    endpoints.map(async (endpoint) => {
      const { value: lock, diagnostics } = await readLock(place, endpoint.name);
      if (!lock) return { entities: [], diagnostics };
      const checks = endpoint.entities.map(async (entity) => {
        const packages = lock.virtualenvs[readOwn(lock.entities, entity.name)?.virtualenv ?? '']?.packages ?? [];
        const options = { progress, signal, policy: resolvePolicy() };
        const check = await checkAdvisories(makeSubject(endpoint, entity), packages, options);
        return { endpoint: endpoint.name, entity: entity.name, ...check };
      });
      const all = await Promise.all(checks);
      return { entities: all, diagnostics: all.flatMap((c) => c.diagnostics) };
    }),
  );
  return {
    entities: audited.flatMap((a) =>
      a.entities.map(({ endpoint, entity, summary }) => ({ endpoint, entity, summary })),
    ),
    diagnostics: sortDiagnostics(audited.flatMap((a) => a.diagnostics)),
    stale,
  };
}

/** Returns why the database stays as it is. */
async function refreshOrKeep(
  database: string | undefined,
  options: Pick<ProjectRequest, 'progress' | 'signal'>,
): Promise<string | undefined> {
  try {
    await refreshAdvisories(database, options);
    return undefined;
  } catch (e) {
    if (database !== undefined || !(await openAdvisories())) throw e;
    return readErrorMessage(e);
  }
}
