import { ENDPOINTS_GROUP, ENDPOINTS_RESOURCE } from './access.ts';

/** A rule of a Kubernetes Role. */
export interface RoleRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const READ_VERBS = ['get', 'list', 'watch'];

/** In the models' namespace: endpoint entries, their state and their logs. Read-only, and never Secrets. */
export const MODELS_RULES: readonly RoleRule[] = [
  { apiGroups: [''], resources: ['configmaps'], verbs: READ_VERBS },
  { apiGroups: [''], resources: ['pods'], verbs: READ_VERBS },
  { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
  { apiGroups: ['serving.knative.dev'], resources: ['configurations', 'revisions', 'routes'], verbs: READ_VERBS },
  { apiGroups: ['autoscaling.internal.knative.dev'], resources: ['podautoscalers'], verbs: READ_VERBS },
];

/** In the platform's namespace: the other replicas. */
export const PLATFORM_RULES: readonly RoleRule[] = [
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: READ_VERBS },
];

/** In the whole cluster: token and access reviews. */
export const CLUSTER_RULES: readonly RoleRule[] = [
  { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
  { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
];

/** For accounts that may query every endpoint: the account of `davit query`, and roles that a cluster's owner binds. */
export const QUERY_RULES: readonly RoleRule[] = [
  { apiGroups: [ENDPOINTS_GROUP], resources: [ENDPOINTS_RESOURCE], verbs: ['query', 'get'] },
];
