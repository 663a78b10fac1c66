import type { RoleRule } from '../../../edge/identity/rbac.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import type { PlainManifest } from '../plain-manifest.ts';
import { makePlatformLabels } from '../labels.ts';

const GROUP = 'rbac.authorization.k8s.io';
const API = `${GROUP}/v1`;

/** A role's name and namespace; undefined namespace: the whole cluster. */
export interface RoleScope {
  readonly name: string;
  readonly namespace: string | undefined;
}

/** Makes a Role or a ClusterRole. */
export function makeRole(
  environment: KubernetesEnvironment,
  place: RoleScope,
  rules: readonly RoleRule[],
): PlainManifest {
  return { apiVersion: API, kind: chooseKind(place), metadata: metadata(environment, place), rules };
}

/** Makes the binding of a role to a ServiceAccount of the platform's namespace. */
export function makeBinding(environment: KubernetesEnvironment, place: RoleScope, account: string): PlainManifest {
  return {
    apiVersion: API,
    kind: `${chooseKind(place)}Binding`,
    metadata: metadata(environment, place),
    roleRef: { apiGroup: GROUP, kind: chooseKind(place), name: place.name },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: environment.platformNamespace }],
  };
}

function chooseKind({ namespace }: RoleScope): 'Role' | 'ClusterRole' {
  return namespace === undefined ? 'ClusterRole' : 'Role';
}

function metadata(environment: KubernetesEnvironment, { name, namespace }: RoleScope) {
  return { name, ...(namespace !== undefined && { namespace }), labels: makePlatformLabels(environment) };
}
