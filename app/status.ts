import { type Diagnostic, makeError } from '../schemas/diagnostic.ts';
import type { EnvironmentRequest } from './project-request.ts';
import { selectNames } from './select-endpoints.ts';
import { openTarget } from './targets/open-target.ts';
import type { EnvironmentStatus } from './targets/target.ts';

/** What is deployed to an environment: the named endpoints, or all. */
export interface StatusResult extends EnvironmentStatus {
  /** Whether anything is deployed there, whatever names were given. */
  readonly deployed: boolean;
  /** One for each name that is not deployed there. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the state of the named endpoints, or of all. */
export async function readStatusOf(
  given: readonly string[],
  { place, environment, signal }: EnvironmentRequest,
): Promise<StatusResult> {
  const status = await openTarget(place.root, environment, signal).readStatus();
  const names = given.length > 0 ? await selectNames(place, given) : undefined;
  const missing = (names ?? []).filter((n) => !status.endpoints.some((e) => e.name === n));
  return {
    ...status,
    endpoints: status.endpoints.filter((e) => names?.includes(e.name) ?? true),
    deployed: status.endpoints.length > 0,
    diagnostics: missing.map((name) =>
      notDeployed(name, `Cannot show "${name}": it is not deployed to ${environment.name}`),
    ),
  };
}

/** The diagnostic for an endpoint that is not deployed. */
export function notDeployed(endpoint: string, message: string): Diagnostic {
  return makeError(
    'unknown-endpoint',
    { file: `endpoints/${endpoint}.yaml`, line: 1, column: 1 },
    message,
    `Deploy it: npx davit up ${endpoint}`,
  );
}
