import { join } from 'node:path';
import type { Diagnostic } from '../schemas/diagnostic.ts';
import type { Endpoint } from '../schemas/endpoint/endpoint.ts';
import type { Environment } from '../schemas/environment/environment.ts';
import type { EnvironmentRegistry } from '../schemas/environment/model-registry.ts';
import { renderLock } from '../schemas/lock/lock.ts';
import { lockFile, readLock } from '../schemas/read-project.ts';
import { writeFileAtomically } from '../system/atomic-files.ts';
import { named } from '../system/progress.ts';
import { machineConcurrency, mapConcurrent } from '../system/map-concurrent.ts';
import { lockEndpoint, type LockResult } from '../validation/lock-endpoint.ts';
import { validateEndpoint } from '../validation/validate-endpoint.ts';
import { findWithdrawnTime, type WithdrawnSummary } from '../validation/withdrawn/find-withdrawn.ts';
import { catchOutage } from './catch-outage.ts';
import type { ProjectRequest } from './project-request.ts';
import { readRegistries } from './read-registries.ts';

export interface LockRequest extends ProjectRequest {
  /** Resolves everything again, to the newest versions that fit. */
  readonly upgrade: boolean;
  /** The environment whose registry has the models, and whose policy counts. Default: the registries of all environments. */
  readonly environment?: Environment | undefined;
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
  const registries = await readRegistries(request.place, request.environment ? [request.environment] : []);
  return mapConcurrent(endpoints, machineConcurrency(), (endpoint) => lockOne(endpoint, request, registries));
}

async function lockOne(
  endpoint: Endpoint,
  { place, upgrade, environment, progress, signal }: LockRequest,
  registries: readonly EnvironmentRegistry[],
): Promise<LockedEndpoint> {
  const file = lockFile(place, endpoint.name);
  // An unreadable lock is made again.
  const current = (await readLock(place, endpoint.name)).value;
  const result = await lockEndpoint(endpoint, {
    root: place.root,
    current,
    upgrade,
    progress: named(progress, endpoint.name),
    signal,
    registries,
    policies: environment && [environment.policy],
  });
  const written = result.lock !== undefined && result.changed;
  if (result.lock && written) await writeFileAtomically(join(place.root, file), renderLock(result.lock));
  return { file, written, result };
}

/** Whether the lock of one endpoint is up to date. */
export interface CheckedLock {
  readonly endpoint: string;
  readonly file: string;
  readonly state: 'up-to-date' | 'missing' | 'stale' | 'invalid' | 'waiting' | 'unknown';
  readonly diagnostics: readonly Diagnostic[];
  /** Why the lock could not be checked, if no file of the user is the cause. */
  readonly outage: string | null;
  /** When the package index was queried for withdrawn versions. */
  readonly withdrawn: WithdrawnSummary;
}

/**
 * Compares locks with their endpoints, their models and the aliases in the registry. Writes nothing and runs no model.
 * An outage of one endpoint does not stop the others.
 */
export async function checkLocks(
  endpoints: readonly Endpoint[],
  request: Omit<LockRequest, 'upgrade'>,
): Promise<readonly CheckedLock[]> {
  const registries = await readRegistries(request.place, request.environment ? [request.environment] : []);
  return mapConcurrent(endpoints, machineConcurrency(), (endpoint) => checkOne(endpoint, request, registries));
}

async function checkOne(
  endpoint: Endpoint,
  { place, environment, progress, signal }: Omit<LockRequest, 'upgrade'>,
  registries: readonly EnvironmentRegistry[],
): Promise<CheckedLock> {
  const { name } = endpoint;
  const { value: lock, diagnostics: unreadable } = await readLock(place, name);
  const policies = environment && [environment.policy];
  const options = { root: place.root, lock, progress: named(progress, name), signal, registries, policies };
  const { value, outage } = lock
    ? await catchOutage(signal, () =>
        validateEndpoint(endpoint, { ...options, until: 'lock', aliases: 'checked', asksIndex: true }),
      )
    : { value: { diagnostics: unreadable }, outage: null };
  const diagnostics = value?.diagnostics ?? [];
  return {
    ...{ endpoint: name, file: lockFile(place, name), state: findState(diagnostics, outage), diagnostics, outage },
    withdrawn: await findWithdrawnTime(Object.values(lock?.virtualenvs ?? {})),
  };
}

const STATES = [
  ['lock-stale', 'stale'],
  ['lock-missing', 'missing'],
  ['lock-invalid', 'invalid'],
  ['model-pending', 'waiting'],
] as const;

function findState(diagnostics: readonly Diagnostic[], outage: string | null): CheckedLock['state'] {
  const errors = diagnostics.filter((d) => d.severity === 'error');
  const found = STATES.find(([code]) => errors.some((d) => d.code === code));
  if (found) return found[1];
  return outage === null && errors.length === 0 ? 'up-to-date' : 'unknown';
}
