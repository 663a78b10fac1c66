import { basename, dirname } from 'node:path';
import type { ProjectFolders } from '../read-project.ts';

/** Environment variables that tell the Pulumi program and its providers where a project's files are. */
const VARIABLES = {
  endpoints: 'DAVIT_ENDPOINTS',
  from: 'DAVIT_FROM',
  environments: 'DAVIT_ENVIRONMENTS_FROM',
  locks: 'DAVIT_LOCKS',
} as const;

/** Renders a place as environment variables. Unset fields become empty strings, so that the child inherits no value. */
export function renderFolderVariables({
  endpoints,
  from = '',
  environments = '',
  locks = '',
}: ProjectFolders): Readonly<Record<string, string>> {
  return {
    [VARIABLES.endpoints]: endpoints,
    [VARIABLES.from]: from,
    [VARIABLES.environments]: environments,
    [VARIABLES.locks]: locks,
  };
}

/** The folder below `.davit/` with the Pulumi.yaml that Davit makes in a project. */
export const ENGINE_FOLDER = 'engine';

/** Parses the environment variables in the Pulumi program. `folder` is the folder of Pulumi.yaml. */
export function parseFolderVariables(
  folder: string,
  environment: Readonly<Partial<Record<string, string>>>,
): ProjectFolders {
  const read = (name: keyof typeof VARIABLES) => environment[VARIABLES[name]] || undefined;
  const [from, environments, locks] = [read('from'), read('environments'), read('locks')];
  return { root: findRoot(folder), endpoints: read('endpoints') ?? 'endpoints', from, environments, locks };
}

/** The project's folder: the one of Pulumi.yaml, unless Davit has made that file below `.davit/`. */
function findRoot(folder: string): string {
  const outer = dirname(folder);
  return basename(folder) === ENGINE_FOLDER && basename(outer) === '.davit' ? dirname(outer) : folder;
}
