import { cp, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import type { EndpointReport } from '../../schemas/report/report.ts';
import { WITHHELD_HINT } from '../../validation/model/refuse-download.ts';
import { makeSubject, makeSubjectError } from '../../validation/subject.ts';
import { LOCKS, readValidated } from './stage-folder.ts';

/** What a job with credentials has left for one without: its folder, or why there is none. */
export type FetchedFolder =
  | { readonly folder: string }
  | { readonly missing: string }
  /** GitHub gives the run no credentials, so there was no such job. */
  | 'withheld';

/** What that job says about each endpoint. */
export type Fetched = 'withheld' | { readonly missing: string } | ReadonlyMap<string, EndpointReport>;

/** Reads the report of the job, and takes over the locks that it has computed. */
export async function readFetched(given: FetchedFolder | undefined, locks: string): Promise<Fetched | undefined> {
  if (given === undefined || given === 'withheld' || 'missing' in given) return given;
  const computed = join(given.folder, LOCKS);
  if (await stat(computed).catch(() => undefined)) await cp(computed, locks, { recursive: true });
  return readValidated(given.folder);
}

/** Why an endpoint cannot be validated with what was fetched for it. Undefined: it can. */
export function explainUnfetched(name: string, fetched: Exclude<Fetched, 'withheld'>): EndpointReport['outage'] {
  if ('missing' in fetched) return fetched.missing;
  const found = fetched.get(name);
  return found ? found.outage : 'the job "fetch" has not reported on it';
}

/**
 * Without the credentials of a private index, a package of it cannot be told from one that is missing everywhere, so the
 * author is not to blame.
 */
export function excuseMissingPackages(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.map((d) =>
    d.code === 'resolution-failed' || d.code === 'install-failed'
      ? {
          ...d,
          code: 'credentials-withheld',
          message: `Cannot fetch the packages: this run has no credentials for private indexes, and the others do not have all (${d.message})`,
          hint: WITHHELD_HINT,
        }
      : d,
  );
}

/**
 * Why a run without credentials must not compute a lock where the workflow has private indexes: it would take the names of
 * their packages from the public index, where anybody may register them.
 */
export function refuseResolution(
  endpoint: Endpoint,
  variables: NodeJS.ProcessEnv = process.env,
): readonly Diagnostic[] {
  if ((variables['DAVIT_INDEXES'] ?? '').trim() === '') return [];
  return endpoint.entities.map((entity) =>
    makeSubjectError(
      makeSubject(endpoint, entity),
      'credentials-withheld',
      `Cannot lock the packages of ${entity.name}: this run has no credentials for the private indexes of the workflow, and another index may have other packages of the same names`,
      `Commit the lock (npx davit lock ${endpoint.name}). ${WITHHELD_HINT}`,
    ),
  );
}
