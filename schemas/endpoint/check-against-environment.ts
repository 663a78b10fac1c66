import { checkAgainstKubernetes } from './check-against-kubernetes.ts';
import { type Diagnostic, makeError, makeWarning } from '../diagnostic.ts';
import type { Endpoint, Entity } from './endpoint.ts';
import type { WorkloadType } from './workload.ts';
import type { Environment, KubernetesEnvironment, LocalEnvironment } from '../environment/environment.ts';
import { locateListItem } from './locate-list-item.ts';
import { parseSecretReference } from '../values/secret-reference.ts';

const LOCAL_WORKLOAD_TYPES: readonly WorkloadType[] = ['CPU'];
const KUBERNETES_HINT = 'Deploy it to an environment with target: kubernetes';

/** Reports every part of an endpoint that the environment cannot provide. */
export function checkAgainstEnvironment(endpoint: Endpoint, environment: Environment): readonly Diagnostic[] {
  switch (environment.target) {
    case 'local':
      return checkLocal(endpoint, environment);
    case 'kubernetes': {
      const there = Object.keys(environment.hardware) as WorkloadType[];
      const types = endpoint.entities.flatMap((e) => checkWorkloadType(e, environment, there));
      return [...types, ...checkAgainstKubernetes(endpoint, environment)];
    }
  }
}

function checkLocal(endpoint: Endpoint, environment: LocalEnvironment): readonly Diagnostic[] {
  const entities = endpoint.entities.flatMap((entity) => [
    ...checkWorkloadType(entity, environment, LOCAL_WORKLOAD_TYPES),
    ...checkSecrets(entity, environment),
    ...checkRole(entity, environment),
  ]);
  return [...entities, ...warnAboutPermissions(endpoint, environment), ...warnAboutRateLimits(endpoint, environment)];
}

function warnAboutPermissions(endpoint: Endpoint, environment: LocalEnvironment): readonly Diagnostic[] {
  if (endpoint.permissions.length === 0) return [];
  const message = `Found permissions on "${endpoint.name}": environment "${environment.name}" ignores them, because each of its tokens may query every endpoint`;
  return [makeWarning('unsupported-field', locateListItem(endpoint, 'permissions', 0), message)];
}

/** Local tokens carry no user or group name, so the local target counts each token as a separate caller. */
function warnAboutRateLimits(endpoint: Endpoint, environment: LocalEnvironment): readonly Diagnostic[] {
  return endpoint.rateLimits.flatMap(({ key, principal }, i) => {
    if (principal === undefined && (key === 'endpoint' || key === 'user')) return [];
    const whom = principal === undefined ? `each ${LIMIT_KEY_WORDS[key]}` : `"${principal}"`;
    const message = `Found a rate limit of ${whom} on "${endpoint.name}": environment "${environment.name}" does not apply it, because its tokens carry no names`;
    return [makeWarning('unknown-principal', locateListItem(endpoint, 'rateLimits', i), message)];
  });
}

const LIMIT_KEY_WORDS = {
  endpoint: 'endpoint',
  user: 'user',
  user_group: 'group',
  service_principal: 'service principal',
} as const;

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
    const message = `Cannot provide the secret ${variable} of "${name}" in environment "${environment.name}": the local target has no secrets`;
    return makeError('unsupported-field', place, message, KUBERNETES_HINT);
  });
}

function checkRole({ name, instanceProfileArn, place }: Entity, environment: Environment): readonly Diagnostic[] {
  if (instanceProfileArn === undefined) return [];
  const message = `Cannot provide the AWS role of "${name}" in environment "${environment.name}": the local target has no AWS roles`;
  return [makeError('unsupported-field', place, message, KUBERNETES_HINT)];
}
