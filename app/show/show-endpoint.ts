import { join } from 'node:path';
import { checkAgainstEnvironment } from '../../schemas/endpoint/check-against-environment.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { Environment } from '../../schemas/environment/environment.ts';
import type { Lock } from '../../schemas/lock/lock.ts';
import {
  declarationsRoot,
  lockFile,
  type ProjectFolders,
  readEndpoint,
  readEnvironment,
  readLock,
  readText,
} from '../../schemas/read-project.ts';
import { listEndpointSettings } from './endpoint-settings.ts';
import { listEnvironmentSettings, listRuntimeSettings } from './environment-settings.ts';
import { makeFieldFinder, type Setting } from './setting.ts';
import { readOwn } from '../../schemas/values/read-own.ts';

export interface ShownEndpoint {
  /** By section; undefined if the endpoint or the environment has errors. */
  readonly sections: ResolvedSections | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

export interface ResolvedSections {
  readonly endpoint: readonly Setting[];
  readonly runtime: readonly Setting[];
  readonly lock: readonly Setting[];
  readonly environment: readonly Setting[];
}

/** Resolves one endpoint in one environment: every field, its value and where the value comes from. Reads files only. */
export async function showEndpoint(
  place: ProjectFolders,
  name: string,
  environmentName: string,
): Promise<ShownEndpoint> {
  const [endpoint, environment] = await Promise.all([
    readEndpoint(place, name),
    readEnvironment(place, environmentName),
  ]);
  const diagnostics = [...endpoint.diagnostics, ...environment.diagnostics];
  if (!endpoint.value || !environment.value) return { sections: undefined, diagnostics };
  const unfit = checkAgainstEnvironment(endpoint.value, environment.value);
  return {
    sections: await resolveSections(place, endpoint.value, environment.value),
    diagnostics: [...diagnostics, ...unfit],
  };
}

async function resolveSections(
  place: ProjectFolders,
  endpoint: Endpoint,
  environment: Environment,
): Promise<ResolvedSections> {
  const { root, environments = root } = place;
  const [text, environmentText, lock] = await Promise.all([
    readText(join(declarationsRoot(place), endpoint.file)),
    readText(join(environments, environment.file)),
    readLock(place, endpoint.name),
  ]);
  const findInEnvironment = makeFieldFinder(environmentText, environment.file);
  return {
    endpoint: listEndpointSettings(endpoint, makeFieldFinder(text, endpoint.file)),
    runtime: listRuntimeSettings(endpoint, environment, findInEnvironment),
    lock: lock.value ? listLockSettings(endpoint, lock.value, lockFile(place, endpoint.name)) : [],
    environment: listEnvironmentSettings(environment, findInEnvironment),
  };
}

function listLockSettings({ entities }: Endpoint, lock: Lock, source: string): readonly Setting[] {
  return entities.flatMap(({ name }) => {
    const locked = readOwn(lock.entities, name);
    if (!locked) return [];
    const virtualenv = lock.virtualenvs[locked.virtualenv];
    return [
      { field: `${name}.model_digest`, value: locked.model.digest, source },
      { field: `${name}.python`, value: virtualenv?.python, source },
      { field: `${name}.packages`, value: virtualenv?.packages.length, source },
    ];
  });
}
