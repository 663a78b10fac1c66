import type { RoleRule } from '../../../edge/identity/rbac.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import { CLIENT_ACCOUNT, DEPLOYER_ROLE, MARKS } from '../../../schemas/environment/platform-names.ts';
import type { PlainManifest } from '../plain-manifest.ts';
import { makeRole } from './roles.ts';

const READ_VERBS = ['get', 'list', 'watch'];
const WRITE_VERBS = [...READ_VERBS, 'create', 'update', 'patch', 'delete'];

/**
 * Makes the rights that `davit up ENDPOINT` needs; nobody is bound to them. They do not allow changes to the platform.
 * They allow reading the models' Secrets, because a changed Secret is a new revision and Kubernetes has no right to see
 * only whether a Secret changed.
 */
export function makeDeployerRoles(environment: KubernetesEnvironment): readonly PlainManifest[] {
  const { name, namespace, platformNamespace } = environment;
  const named = (where: string) => ({ name: DEPLOYER_ROLE, namespace: where });
  // In shared namespaces and in the whole cluster, an environment's roles carry its name.
  const shared = `${DEPLOYER_ROLE}-${name}`;
  return [
    makeRole(environment, named(namespace), MODELS_RULES),
    makeRole(environment, named(platformNamespace), PLATFORM_RULES),
    // A prediction through a new revision goes through the API server to Knative.
    makeRole(environment, { name: shared, namespace: 'knative-serving' }, ACTIVATOR_RULES),
    makeRole(environment, { name: shared, namespace: undefined }, CLUSTER_RULES),
  ];
}

const MODELS_RULES: readonly RoleRule[] = [
  { apiGroups: ['serving.knative.dev'], resources: ['configurations', 'revisions', 'routes'], verbs: WRITE_VERBS },
  { apiGroups: [''], resources: ['configmaps', 'serviceaccounts'], verbs: WRITE_VERBS },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: WRITE_VERBS },
  { apiGroups: [''], resources: ['events', 'limitranges', 'pods', 'pods/log', 'resourcequotas'], verbs: READ_VERBS },
  { apiGroups: ['apps'], resources: ['deployments', 'replicasets'], verbs: READ_VERBS },
  { apiGroups: ['autoscaling.internal.knative.dev'], resources: ['podautoscalers'], verbs: READ_VERBS },
  { apiGroups: [''], resources: ['secrets'], verbs: ['get'] },
];

const PLATFORM_RULES: readonly RoleRule[] = [
  { apiGroups: [''], resources: ['services'], verbs: READ_VERBS },
  // The gate proves itself to new revisions as the edge does.
  { apiGroups: [''], resources: ['configmaps', 'secrets'], resourceNames: [MARKS], verbs: ['get'] },
  { apiGroups: [''], resources: ['serviceaccounts/token'], resourceNames: [CLIENT_ACCOUNT], verbs: ['create'] },
];

const ACTIVATOR_RULES: readonly RoleRule[] = [
  {
    apiGroups: [''],
    resources: ['services/proxy'],
    resourceNames: ['http:activator-service:80'],
    verbs: ['create', 'get'],
  },
];

/** A preview reports the free capacity of the nodes. */
const CLUSTER_RULES: readonly RoleRule[] = [{ apiGroups: [''], resources: ['nodes', 'pods'], verbs: ['get', 'list'] }];
