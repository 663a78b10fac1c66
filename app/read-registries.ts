import type { Environment } from '../schemas/environment/environment.ts';
import type { EnvironmentRegistry } from '../schemas/environment/model-registry.ts';
import { listEnvironments, type ProjectFolders, readEnvironment } from '../schemas/read-project.ts';
import { DEFAULT_ENVIRONMENT } from '../schemas/values/names.ts';

/**
 * The registries that the given environments name; none if the variables of the job count. Without an environment, or for
 * the default one, which is for development, these are the registries of all environments, because a lock is for all of
 * them. A file with errors adds no registry; the commands that use the environment report its errors.
 */
export async function readRegistries(
  place: ProjectFolders,
  environments: readonly Environment[],
): Promise<readonly EnvironmentRegistry[]> {
  const named = environments.flatMap((e) => e.registry ?? []);
  if (named.length > 0 || environments.some((e) => e.name !== DEFAULT_ENVIRONMENT)) return named;
  const names = await listEnvironments(place);
  const read = await Promise.all(names.map((name) => readEnvironment(place, name)));
  return read.flatMap((r) => r.value?.registry ?? []);
}
