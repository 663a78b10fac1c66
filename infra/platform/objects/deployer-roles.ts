import type { KubernetesEnvironment } from '../../../schemas/environment.ts';
import { CLIENT_ACCOUNT, DEPLOYER_ROLE } from '../../../schemas/platform-names.ts';
import type { KubernetesManifest } from '../../kubernetes/object-resource.ts';
import { platformLabels } from '../labels.ts';

const RBAC = 'rbac.authorization.k8s.io/v1';
const LOOK = ['get', 'list', 'watch'];
const CHANGE = [...LOOK, 'create', 'update', 'patch', 'delete'];

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/**
 * Makes what `davit up ENDPOINT` may do, for whoever runs it; nobody is bound to it. It cannot change the platform. It may
 * read Secrets of models, since a changed one is a new revision; Kubernetes has no right to see only whether it changed.
 */
export function makeDeployerRoles(environment: KubernetesEnvironment): readonly KubernetesManifest[] {
  const { namespace, platformNamespace } = environment;
  return [
    makeRole(environment, namespace, MODELS_RULES),
    makeRole(environment, platformNamespace, PLATFORM_RULES),
    // A prediction through a new revision goes by way of the API server to Knative.
    makeRole(environment, 'knative-serving', ACTIVATOR_RULES),
    {
      apiVersion: RBAC,
      kind: 'ClusterRole',
      metadata: { name: `${DEPLOYER_ROLE}-${environment.name}`, labels: platformLabels(environment) },
      rules: CLUSTER_RULES,
    },
  ];
}

const MODELS_RULES: readonly Rule[] = [
  { apiGroups: ['serving.knative.dev'], resources: ['configurations', 'revisions', 'routes'], verbs: CHANGE },
  { apiGroups: [''], resources: ['configmaps', 'serviceaccounts'], verbs: CHANGE },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: CHANGE },
  { apiGroups: [''], resources: ['events', 'limitranges', 'pods', 'pods/log', 'resourcequotas'], verbs: LOOK },
  { apiGroups: ['apps'], resources: ['deployments', 'replicasets'], verbs: LOOK },
  { apiGroups: ['autoscaling.internal.knative.dev'], resources: ['podautoscalers'], verbs: LOOK },
  { apiGroups: [''], resources: ['secrets'], verbs: ['get'] },
];

const PLATFORM_RULES: readonly Rule[] = [
  { apiGroups: [''], resources: ['services'], verbs: LOOK },
  { apiGroups: [''], resources: ['serviceaccounts/token'], resourceNames: [CLIENT_ACCOUNT], verbs: ['create'] },
];

const ACTIVATOR_RULES: readonly Rule[] = [
  {
    apiGroups: [''],
    resources: ['services/proxy'],
    resourceNames: ['http:activator-service:80'],
    verbs: ['create', 'get'],
  },
];

/** What is free on the nodes is said at a preview. */
const CLUSTER_RULES: readonly Rule[] = [{ apiGroups: [''], resources: ['nodes', 'pods'], verbs: ['get', 'list'] }];

function makeRole(environment: KubernetesEnvironment, namespace: string, rules: readonly Rule[]): KubernetesManifest {
  return {
    apiVersion: RBAC,
    kind: 'Role',
    metadata: { name: DEPLOYER_ROLE, namespace, labels: platformLabels(environment) },
    rules,
  };
}
