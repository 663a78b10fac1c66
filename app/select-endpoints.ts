import { checkAgainstEnvironment } from '../schemas/endpoint/check-against-environment.ts';
import type { Environment } from '../schemas/environment/environment.ts';
import { type Diagnostic, hasErrors, makeError } from '../schemas/diagnostic.ts';
import type { Endpoint } from '../schemas/endpoint/endpoint.ts';
import { type ReadResult, listEndpoints, type ProjectFolders, readEndpoint } from '../schemas/read-project.ts';

export interface SelectedEndpoints {
  /** The endpoints without errors. */
  readonly endpoints: readonly Endpoint[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The given names, which may also be files (`endpoints/iris.yaml`); all names of the project if none are given. */
export async function selectNames(place: ProjectFolders, given: readonly string[]): Promise<readonly string[]> {
  if (given.length === 0) return listEndpoints(place);
  return [...new Set(given.map((a) => a.replace(/^.*[\\/]/, '').replace(/\.(ya?ml|lock)$/, '')))];
}

/** Reads the endpoints with the given names, or all of them. */
export async function selectEndpoints(place: ProjectFolders, given: readonly string[]): Promise<SelectedEndpoints> {
  const names = await selectNames(place, given);
  const read = await Promise.all(names.map((name) => readEndpoint(place, name)));
  const none = names.length === 0 ? [noEndpoints(place)] : [];
  return {
    endpoints: read.flatMap((r) => r.value ?? []),
    diagnostics: [...none, ...read.flatMap((r) => r.diagnostics)],
  };
}

/**
 * Reads the endpoints for an environment. Endpoints that it cannot run are left out, with a diagnostic. All are left
 * out when the environment's own file has errors.
 */
export async function selectForEnvironment(
  place: ProjectFolders,
  given: readonly string[],
  { value: environment, diagnostics }: ReadResult<Environment>,
): Promise<SelectedEndpoints> {
  const selected = await selectEndpoints(place, given);
  const unfit = environment ? selected.endpoints.map((e) => checkAgainstEnvironment(e, environment)) : [];
  return {
    endpoints: environment ? selected.endpoints.filter((_, i) => !hasErrors(unfit[i] ?? [])) : [],
    diagnostics: [...selected.diagnostics, ...diagnostics, ...unfit.flat()],
  };
}

function noEndpoints({ endpoints }: ProjectFolders): Diagnostic {
  const place = { file: endpoints, line: 1, column: 1 };
  return makeError(
    'unknown-endpoint',
    place,
    `Cannot find an endpoint: there is no YAML file in ${endpoints}/`,
    'Write one: see README.md, "An endpoint is a file"',
  );
}
