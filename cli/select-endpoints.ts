import { checkAgainstEnvironment } from '../schemas/endpoint/check-against-environment.ts';
import type { Environment } from '../schemas/environment/environment.ts';
import { type Diagnostic, hasErrors, makeError } from '../schemas/diagnostic.ts';
import type { Endpoint } from '../schemas/endpoint/endpoint.ts';
import { listEndpoints, type ProjectPlace, readEndpoint, readEnvironment } from '../schemas/read-declared.ts';
import { type Context, environmentName, type Option } from './command.ts';

export const ENDPOINTS_OPTION: Readonly<Record<string, Option>> = {
  endpoints: {
    type: 'string',
    value: 'FOLDER',
    help: 'Endpoint files and locks are in this folder of the project; default: endpoints',
  },
};

export interface Selected {
  /** The endpoints without errors. */
  readonly endpoints: readonly Endpoint[];
  /** Undefined when its file has errors. */
  readonly environment: Environment | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** The folders of the project's files, with the user's options applied. */
export function projectPlace({
  root,
  options,
  declared,
}: Pick<Context, 'root' | 'options' | 'declared'>): ProjectPlace {
  const { endpoints } = options;
  return {
    root,
    endpoints: typeof endpoints === 'string' ? endpoints.replace(/(?<!\/)\/+$/, '') : 'endpoints',
    ...declared,
  };
}

/** The user's names, given as names or as files (`endpoints/iris.yaml`); all names if none were given. */
export async function selectNames(place: ProjectPlace, args: readonly string[]): Promise<readonly string[]> {
  if (args.length === 0) return listEndpoints(place);
  return [...new Set(args.map((a) => a.replace(/^.*[\\/]/, '').replace(/\.(ya?ml|lock)$/, '')))];
}

/** Reads the endpoints that the user named, or all of them. */
export async function selectEndpoints(context: Context): Promise<Omit<Selected, 'environment'>> {
  const place = projectPlace(context);
  const names = await selectNames(place, context.args);
  const read = await Promise.all(names.map((name) => readEndpoint(place, name)));
  const none = names.length === 0 ? [noEndpoints(place)] : [];
  return {
    endpoints: read.flatMap((r) => r.value ?? []),
    diagnostics: [...none, ...read.flatMap((r) => r.diagnostics)],
  };
}

/** Reads the endpoints for an environment. Endpoints that it cannot run are left out, with a diagnostic. */
export async function selectForEnvironment(context: Context): Promise<Selected> {
  const [selected, declared] = await Promise.all([
    selectEndpoints(context),
    readEnvironment(projectPlace(context), environmentName(context)),
  ]);
  const environment = declared.value;
  const unfit = environment ? selected.endpoints.map((e) => checkAgainstEnvironment(e, environment)) : [];
  return {
    endpoints: environment ? selected.endpoints.filter((_, i) => !hasErrors(unfit[i] ?? [])) : [],
    environment,
    diagnostics: [...selected.diagnostics, ...declared.diagnostics, ...unfit.flat()],
  };
}

function noEndpoints({ endpoints }: ProjectPlace): Diagnostic {
  const place = { file: endpoints, line: 1, column: 1 };
  return makeError(
    'unknown-endpoint',
    place,
    `Cannot find an endpoint: there is no YAML file in ${endpoints}/`,
    'Write one: see README.md, "An endpoint is a file"',
  );
}
