import type { Environment } from '../schemas/environment/environment.ts';
import type { EnvironmentRegistry } from '../schemas/environment/registry.ts';
import { type ProjectFolders, readEnvironment } from '../schemas/read-project.ts';
import { listEnvironments } from './init/list-environments.ts';

/**
 * The registry of the selected environment. If it has none, those of all environments, because a lock is for all of them.
 * A file with errors has no registry here; the commands that use the environment report its errors.
 */
export async function readRegistries(
  place: ProjectFolders,
  environment?: Environment,
): Promise<readonly EnvironmentRegistry[]> {
  if (environment?.registry) return [environment.registry];
  const names = await listEnvironments(place);
  const read = await Promise.all(names.map((name) => readEnvironment(place, name)));
  return read.flatMap((r) => r.value?.registry ?? []);
}
