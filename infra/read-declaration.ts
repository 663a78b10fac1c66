import * as pulumi from '@pulumi/pulumi';
import { type Diagnostic, hasErrors, renderDiagnostic, sortDiagnostics } from '../schemas/diagnostic.ts';
import { checkAgainstEnvironment } from '../schemas/endpoint/check-against-environment.ts';
import { pinVersions } from '../schemas/lock/pin-versions.ts';
import { stackName } from '../schemas/values/names.ts';
import { lockFile, type ProjectFolders, readEndpoint, readEnvironment, readLock } from '../schemas/read-project.ts';
import { checkLockedEntities } from './check-locked-entities.ts';
import type { Declaration } from './declaration.ts';

export interface DeclarationNames {
  readonly endpoint: string;
  readonly environment: string;
}

/** Reads what a stack deploys from its project. All diagnostics together end the program. */
export async function readDeclaration(place: ProjectFolders, names: DeclarationNames): Promise<Declaration> {
  const read = await Promise.all([
    readEndpoint(place, names.endpoint),
    readEnvironment(place, names.environment),
    readLock(place, names.endpoint),
  ]);
  const [endpoint, environment, lock] = [read[0].value, read[1].value, read[2].value];
  const diagnostics = [
    ...read.flatMap((r) => r.diagnostics),
    ...(endpoint && environment ? checkAgainstEnvironment(endpoint, environment) : []),
    ...(endpoint && lock ? checkLockedEntities(endpoint, lock) : []),
  ];
  if (!endpoint || !environment || !lock || hasErrors(diagnostics))
    throw makeDeclarationError(stackName(names.endpoint, names.environment), diagnostics);
  return {
    root: place.root,
    endpoint: pinVersions(endpoint, lock),
    environment,
    lock,
    lockFile: lockFile(place, names.endpoint),
  };
}

/** The error that ends the program because of the user's files. */
export function makeDeclarationError(what: string, diagnostics: readonly Diagnostic[]): pulumi.RunError {
  const lines = sortDiagnostics(diagnostics).map(renderDiagnostic);
  return new pulumi.RunError(`Cannot deploy "${what}":\n${lines.join('\n')}`);
}
