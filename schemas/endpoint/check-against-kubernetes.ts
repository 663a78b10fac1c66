import { checkQuota } from './check-quota.ts';
import { type Diagnostic, makeError, makeWarning, type SourceLocation } from '../diagnostic.ts';
import type { Endpoint, Entity } from './endpoint.ts';
import type { KubernetesEnvironment } from '../environment/environment.ts';
import { entityTag, OBJECT_NAME } from '../environment/kubernetes-names.ts';
import { locateListItem } from './locate-list-item.ts';
import { parseSecretReference } from '../values/secret-reference.ts';
import { readOwn } from '../values/read-own.ts';

/** Reports every part of an endpoint that a cluster cannot provide, except hardware. */
export function checkAgainstKubernetes(endpoint: Endpoint, environment: KubernetesEnvironment): readonly Diagnostic[] {
  return [
    ...endpoint.entities.flatMap((e) => [...checkSecrets(e, environment), ...checkWorkerMode(e, environment)]),
    ...checkTags(endpoint),
    ...checkPrincipals(endpoint, environment),
    ...checkQuota(endpoint, environment),
  ];
}

/** A secret scope maps to a Kubernetes Secret, which allows fewer names and keys than Databricks does. */
function checkSecrets({ environmentVars, place }: Entity, environment: KubernetesEnvironment): readonly Diagnostic[] {
  return Object.entries(environmentVars).flatMap(([variable, value]) => {
    const secret = parseSecretReference(value);
    if (!secret) return [];
    const { scope, key } = secret;
    const start = `Cannot read "${scope}/${key}" for ${variable} in environment "${environment.name}"`;
    if (/^\.\.?$|^\.\./.test(key))
      return [
        makeError('bad-value', place, `${start}: a Kubernetes Secret cannot have the key "${key}"`, 'Rename the key'),
      ];
    if (readOwn(environment.secrets, scope) !== undefined || OBJECT_NAME.test(scope)) return [];
    const message = `${start}: a Kubernetes Secret cannot have the name "${scope}"`;
    return [makeError('bad-value', place, message, `In ${environment.file}: secrets: { ${scope}: NAME }`)];
  });
}

/** An environment can give any workload type a GPU, and only one process can use a GPU. */
function checkWorkerMode({ name, workerMode, workloadType, place }: Entity, environment: KubernetesEnvironment) {
  if (workerMode === undefined || workerMode === 'one' || !environment.hardware[workloadType]?.gpu) return [];
  const message = `Cannot use workers: ${workerMode} for "${name}" in environment "${environment.name}": only one process can use the GPU of ${workloadType}, expected workers: one`;
  return [makeError('conflicting-fields', place, message, 'Remove workers, or choose another workload_type')];
}

/** A tag contains a short hash. If two entities have the same tag, they would share one Kubernetes object. */
function checkTags({ entities }: Endpoint): readonly Diagnostic[] {
  return entities.flatMap((entity, i) => {
    const same = entities.slice(0, i).find((e) => entityTag(e.name) === entityTag(entity.name));
    if (!same) return [];
    const message = `Cannot deploy both "${entity.name}" and "${same.name}" to Kubernetes: both have the tag ${entityTag(entity.name)}`;
    return [makeError('duplicate-name', entity.place, message, 'Give one of them another name')];
  });
}

/** The cluster's own tokens identify a service principal as a service account, which belongs to a namespace. */
function checkPrincipals(endpoint: Endpoint, environment: KubernetesEnvironment): readonly Diagnostic[] {
  if (environment.identity.kind !== 'kubernetes') return [];
  const permissions = endpoint.permissions.map(({ principal }, i) => ({
    ...principal,
    place: locateListItem(endpoint, 'permissions', i),
  }));
  const limits = endpoint.rateLimits.map(({ key, principal = '' }, i) => ({
    ...{ kind: key, name: principal, place: locateListItem(endpoint, 'rateLimits', i) },
  }));
  return [...permissions, ...limits].flatMap(({ kind, name, place }) =>
    kind !== 'service_principal' || name === '' || /^[^/]+\/[^/]+$|^system:serviceaccount:/.test(name)
      ? []
      : [warnAboutUnknownPrincipal(name, place, environment)],
  );
}

function warnAboutUnknownPrincipal(
  name: string,
  place: SourceLocation,
  environment: KubernetesEnvironment,
): Diagnostic {
  const message = `Found the service principal "${name}", which cannot exist in environment "${environment.name}": expected NAMESPACE/NAME of a service account`;
  return makeWarning('unknown-principal', place, message);
}
