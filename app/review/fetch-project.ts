import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report } from '../../schemas/report/report.ts';
import { machineConcurrency, mapConcurrent } from '../../system/map-concurrent.ts';
import { fetchChanged } from './fetch-changed.ts';
import { type HandedOver, writeHandedOver } from './handed-over.ts';
import type { ReviewRequest } from './review-project.ts';
import { readScope, startReport } from './review-scope.ts';
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
  const { root, out, withPackages } = request;
  const locks = join(out, LOCKS);
  await rm(locks, { recursive: true, force: true });
  const work = { ...request, place: { root, endpoints: 'endpoints', locks } };
  const scope = await readScope(work);
  const { changes, changed, policies } = scope;
  const environments = scope.environments.map((e) => e.environment);
  const files = new Set<string>();
  const handedOver = new Map<string, HandedOver>();
  const stage = { request: work, environments, policies, base: changes?.base, locks, withPackages, files, handedOver };
  const endpoints = await mapConcurrent(changed, machineConcurrency(), (c) => fetchChanged(c, stage));
  const report = { ...startReport(scope), endpoints: [...endpoints] };
  await writeHandedOver(out, handedOver);
  await writeReport(out, report);
  return { report, files: [...files].sort() };
}
