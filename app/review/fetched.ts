import { cp, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Diagnostic, sortDiagnostics } from '../../schemas/diagnostic.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import type { EndpointReport } from '../../schemas/report/report.ts';
import { contentHash } from '../../schemas/values/names.ts';
import { WITHHELD_HINT } from '../../validation/model/refuse-download.ts';
import { makeSubject, makeSubjectError } from '../../validation/subject.ts';
import type { Validation } from '../../validation/validation.ts';
import { type HandedOver, readHandedOver } from './handed-over.ts';
import { LOCKS, readValidated } from './stage-folder.ts';

/** What a job with credentials has left for one without: its folder, or why there is none. */
export type FetchedFolder =
  | { readonly folder: string }
  | { readonly missing: string }
  /** GitHub gives the run no credentials, so there was no such job. */
  | 'withheld';

/** What that job says about each endpoint. */
export type Fetched = 'withheld' | { readonly missing: string } | ReadonlyMap<string, FetchedEndpoint>;

export interface FetchedEndpoint extends EndpointReport {
  /** Undefined: the job did not get that far. */
  readonly handedOver?: HandedOver | undefined;
}

/** Reads the report of the job, and takes over the locks that it has computed. */
export async function readFetched(given: FetchedFolder | undefined, locks: string): Promise<Fetched | undefined> {
  if (given === undefined || given === 'withheld' || 'missing' in given) return given;
  const computed = join(given.folder, LOCKS);
  if (await stat(computed).catch(() => undefined)) await cp(computed, locks, { recursive: true });
  const [reports, handedOver] = await Promise.all([readValidated(given.folder), readHandedOver(given.folder)]);
  return new Map([...reports].map(([name, report]) => [name, { ...report, handedOver: handedOver.get(name) }]));
}

/** Why an endpoint cannot be validated with what was fetched for it. Undefined: it can. */
export function explainUnfetched(name: string, fetched: Exclude<Fetched, 'withheld'>): EndpointReport['outage'] {
  if ('missing' in fetched) return fetched.missing;
  const found = fetched.get(name);
  return found ? found.outage : 'the job "fetch" has not reported on it';
}

/**
 * Adds the warnings of the job that computed the lock, such as a withdrawn version. A finding of both jobs is listed once.
 * A package that is built was not handed over, so the others of its virtualenv cannot come from a private index.
 */
export function mergeFetched(validation: Validation, fetched: FetchedEndpoint | undefined): Validation {
  const builds = Object.values(fetched?.handedOver?.new ?? {}).some((version) => version.has_builds);
  const own = builds ? validation.diagnostics.map(explainBuilds) : validation.diagnostics;
  const all = new Map([...(fetched?.diagnostics ?? []), ...own].map((d) => [contentHash(d), d]));
  return { ...validation, diagnostics: sortDiagnostics([...all.values()]) };
}

function explainBuilds(found: Diagnostic): Diagnostic {
  if (found.code !== 'install-failed') return found;
  return {
    ...found,
    message: `Cannot install the packages of a lock with build_wheels here: it is done without the credentials of private indexes, because a build runs code of a package (${found.message})`,
    hint: 'If a package is in a private index: build the wheels of build_wheels once, publish them in that index or log them with the model in code_paths, and remove build_wheels',
  };
}

/**
 * Without the credentials of a private index, a package that only it has looks like one that is missing everywhere,
 * so the author is not to blame.
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
