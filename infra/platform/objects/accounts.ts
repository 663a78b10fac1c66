import {
  CLUSTER_RULES,
  MODELS_RULES,
  PLATFORM_RULES,
  QUERY_RULES,
  type RoleRule,
} from '../../../edge/identity/rbac.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import { AUTHORISATION, CLIENT_ACCOUNT } from '../../../schemas/environment/platform-names.ts';
import type { PlainManifest } from '../plain-manifest.ts';
import { makePlatformLabels } from '../labels.ts';
import { makeBinding, makeRole } from './roles.ts';

/** May query every endpoint. The cluster's owner may also bind it to people and programs. */
const QUERY_ROLE = 'davit-query';

/** Makes the accounts of the authorisation service and of `davit query`, with their rights. */
export function makeAccounts(environment: KubernetesEnvironment): readonly PlainManifest[] {
  const { name, namespace, platformNamespace } = environment;
  const given: readonly (readonly [string, string, string | undefined, readonly RoleRule[]])[] = [
    [AUTHORISATION, AUTHORISATION, namespace, MODELS_RULES],
    [AUTHORISATION, AUTHORISATION, platformNamespace, PLATFORM_RULES],
    [AUTHORISATION, `${AUTHORISATION}-${name}`, undefined, CLUSTER_RULES],
    [CLIENT_ACCOUNT, QUERY_ROLE, namespace, QUERY_RULES],
  ];
  return [
    makeAccount(environment, AUTHORISATION),
    makeAccount(environment, CLIENT_ACCOUNT),
    ...given.flatMap(([account, role, where, rules]) => [
      makeRole(environment, { name: role, namespace: where }, rules),
      makeBinding(environment, { name: role, namespace: where }, account),
    ]),
  ];
}

function makeAccount(environment: KubernetesEnvironment, name: string): PlainManifest {
  const { platformNamespace } = environment;
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace: platformNamespace, labels: makePlatformLabels(environment) },
  };
}
