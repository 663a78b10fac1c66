import { type Diagnostic, makeError, makeWarning } from './diagnostic.ts';
import type { Endpoint, Entity, WorkloadType } from './endpoint.ts';
import type { Environment, KubernetesEnvironment, LocalEnvironment } from './environment.ts';
import { parseSecretReference } from './secret-reference.ts';

const LOCAL_WORKLOAD_TYPES: readonly WorkloadType[] = ['CPU'];
const ELSEWHERE = 'Deploy it to an environment with target: kubernetes';

/** What an endpoint asks for that the environment does not have. */
export function checkAgainstEnvironment(endpoint: Endpoint, environment: Environment): readonly Diagnostic[] {
  switch (environment.target) {
    case 'local':
      return checkLocal(endpoint, environment);
    case 'kubernetes':
      return endpoint.entities.flatMap((e) =>
        checkWorkloadType(e, environment, Object.keys(environment.hardware) as WorkloadType[]),
      );
  }
}

function checkLocal(endpoint: Endpoint, environment: LocalEnvironment): readonly Diagnostic[] {
  const entities = endpoint.entities.flatMap((entity) => [
    ...checkWorkloadType(entity, environment, LOCAL_WORKLOAD_TYPES),
    ...checkSecrets(entity, environment),
    ...checkRole(entity, environment),
  ]);
  if (endpoint.permissions.length === 0) return entities;
  const at = { file: endpoint.file, line: 1, column: 1 };
  const message = `Found permissions on "${endpoint.name}": environment "${environment.name}" has one kind of token, and everybody who has one may query`;
  return [...entities, makeWarning('unsupported-field', at, message)];
}

function checkWorkloadType(
  { name, workloadType, place }: Entity,
  environment: LocalEnvironment | KubernetesEnvironment,
  there: readonly WorkloadType[],
): readonly Diagnostic[] {
  if (there.includes(workloadType)) return [];
  const message = `Cannot run "${name}" on ${workloadType} in environment "${environment.name}": expected ${there.join(', ')}`;
  const hint = 'Change workload_type, or deploy to another environment';
  return [makeError('unavailable-workload-type', place, message, hint)];
}

function checkSecrets({ name, environmentVars, place }: Entity, environment: Environment): readonly Diagnostic[] {
  const secrets = Object.entries(environmentVars).filter(([, value]) => parseSecretReference(value));
  return secrets.map(([variable]) => {
    const message = `Cannot give "${name}" a secret as ${variable} in environment "${environment.name}": this machine has no secrets`;
    return makeError('unsupported-field', place, message, ELSEWHERE);
  });
}

function checkRole({ name, instanceProfileArn, place }: Entity, environment: Environment): readonly Diagnostic[] {
  if (instanceProfileArn === undefined) return [];
  const message = `Cannot give "${name}" an AWS role in environment "${environment.name}": this machine has none`;
  return [makeError('unsupported-field', place, message, ELSEWHERE)];
}
