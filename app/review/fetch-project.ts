import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report } from '../../schemas/report/report.ts';
import { machineConcurrency, mapConcurrent } from '../../system/map-concurrent.ts';
import { fetchChanged } from './fetch-changed.ts';
import { readReviewedEnvironments } from './review-environments.ts';
import { readReviewedPolicies } from './review-policies.ts';
import { readChanges, type ReviewRequest, selectChanged } from './review-project.ts';
import { LOCKS, writeReport } from './stage-folder.ts';

export interface FetchRequest extends Pick<
  ReviewRequest,
  'root' | 'names' | 'base' | 'environments' | 'everyEnvironment' | 'progress' | 'signal'
> {
  /** The folder for report.json and the computed locks. */
  readonly out: string;
  /** Whether the packages are fetched too, because an index may need credentials. */
  readonly withPackages: boolean;
}

export interface FetchedProject {
  readonly report: Report;
  /** Absolute paths of what the validation needs from the cache. */
  readonly files: readonly string[];
}

/**
 * Fetches what a validation without credentials will need: models, locks and packages of the changed endpoints. The
 * report has no stage of a review; it says which lock each endpoint has, and why something cannot be fetched.
 */
export async function fetchProject(request: FetchRequest): Promise<FetchedProject> {
  const { root, out, environments: names, withPackages } = request;
  const locks = join(out, LOCKS);
  await rm(locks, { recursive: true, force: true });
  const place = { root, endpoints: 'endpoints', locks };
  const work = { ...request, place };
  const changes = await readChanges(work);
  const declared = await readReviewedEnvironments(place, { names, paths: changes?.paths ?? [] });
  const policies = await readReviewedPolicies({ ...work, ...declared, names, changes });
  const files = new Set<string>();
  const environments = declared.environments.map((e) => e.environment);
  const changed = await selectChanged(work, changes);
  const stage = { request: work, environments, policies, base: changes?.base, locks, withPackages, files };
  const endpoints = await mapConcurrent(changed, machineConcurrency(), (c) => fetchChanged(c, stage));
  const report: Report = {
    report_version: 3,
    base: changes?.base ?? null,
    head: changes?.head ?? null,
    program: null,
    environments: environments.map((e) => e.name),
    stages: [],
    pull_request: null,
    diagnostics: [],
    endpoints: [...endpoints],
  };
  await writeReport(out, report);
  return { report, files: [...files].sort() };
}
