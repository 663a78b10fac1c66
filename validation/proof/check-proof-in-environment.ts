import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import type { Environment } from '../../schemas/environment/environment.ts';
import { checkLibrariesInEnvironment } from '../libraries/check-libraries.ts';
import type { Validation } from '../validation.ts';
import { checkMemoryInEnvironment } from './check-memory.ts';

/** Compares what the proofs of an endpoint have measured and loaded with what an environment has. */
export function checkProofInEnvironment(
  endpoint: Endpoint,
  validation: Pick<Validation, 'entities'>,
  environment: Environment,
): readonly Diagnostic[] {
  return [checkMemoryInEnvironment, checkLibrariesInEnvironment].flatMap((check) =>
    check(endpoint, validation, environment),
  );
}
