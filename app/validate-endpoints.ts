import type { Endpoint } from '../schemas/endpoint/endpoint.ts';
import type { Environment } from '../schemas/environment/environment.ts';
import { readLock } from '../schemas/read-project.ts';
import { named } from '../system/progress.ts';
import { machineConcurrency, mapConcurrent } from '../system/map-concurrent.ts';
import { validateEndpoint } from '../validation/validate-endpoint.ts';
import type { Validation } from '../validation/validation.ts';
import type { ProjectRequest } from './project-request.ts';
import { readRegistries } from './read-registries.ts';

/** Validates several endpoints at a time, each with the lock beside it. */
export async function validateEndpoints(
  endpoints: readonly Endpoint[],
  request: ValidationRequest,
): Promise<readonly Validation[]> {
  return mapConcurrent(endpoints, machineConcurrency(), (endpoint) => validateWithOwnLock(endpoint, request));
}

/** A request whose environment, if it has one, decides the severity of what is found. */
type ValidationRequest = ProjectRequest & { readonly environment?: Environment | undefined };

/** Validates an endpoint with the lock beside it; `until` stops before the model is run. */
export async function validateWithOwnLock(
  endpoint: Endpoint,
  { place, progress, signal, withoutSandbox, environment }: ValidationRequest,
  until?: 'lock',
): Promise<Validation> {
  const { value, diagnostics } = await readLock(place, endpoint.name);
  const unreadable = diagnostics.filter((d) => d.code !== 'lock-missing');
  if (unreadable.length > 0) return { endpoint: endpoint.name, entities: [], diagnostics: unreadable };
  return validateEndpoint(endpoint, {
    root: place.root,
    lock: value,
    progress: named(progress, endpoint.name),
    signal,
    withoutSandbox,
    policies: environment && [environment.policy],
    registries: await readRegistries(place, environment ? [environment] : []),
    ...(until && { until }),
  });
}
