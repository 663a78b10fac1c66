import { join } from 'node:path';
import type { Endpoint } from '../schemas/endpoint/endpoint.ts';
import { renderLock } from '../schemas/lock/lock.ts';
import { lockFile, readLock } from '../schemas/read-project.ts';
import { writeFileAtomically } from '../system/atomic-files.ts';
import { named } from '../system/progress.ts';
import { machineConcurrency, mapConcurrent } from '../system/map-concurrent.ts';
import { lockEndpoint, type LockResult } from '../validation/lock-endpoint.ts';
import type { ProjectRequest } from './project.ts';

export interface LockRequest extends ProjectRequest {
  /** Resolves everything again, to the newest versions that fit. */
  readonly upgrade: boolean;
}

/** The lock of one endpoint, and whether its file was written. */
export interface LockedEndpoint {
  /** Relative to the project: `endpoints/iris.lock`. */
  readonly file: string;
  readonly written: boolean;
  readonly result: LockResult;
}

/** Resolves the requirements of endpoints, and writes the locks that have changed. */
export async function lockEndpoints(
  endpoints: readonly Endpoint[],
  request: LockRequest,
): Promise<readonly LockedEndpoint[]> {
  return mapConcurrent(endpoints, machineConcurrency(), (endpoint) => lockOne(endpoint, request));
}

async function lockOne(endpoint: Endpoint, { place, upgrade, progress, signal }: LockRequest): Promise<LockedEndpoint> {
  const file = lockFile(place, endpoint.name);
  // An unreadable lock is made again.
  const current = (await readLock(place, endpoint.name)).value;
  const result = await lockEndpoint(endpoint, {
    root: place.root,
    current,
    upgrade,
    progress: named(progress, endpoint.name),
    signal,
  });
  const written = result.lock !== undefined && result.changed;
  if (result.lock && written) await writeFileAtomically(join(place.root, file), renderLock(result.lock));
  return { file, written, result };
}
