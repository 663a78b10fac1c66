import type { KubernetesApi } from '../../../kubernetes/client/api.ts';
import { ENVIRONMENT_LABEL } from '../../../schemas/environment/kubernetes-names.ts';
import { MANAGED_BY, MANAGED_BY_LABEL } from '../labels.ts';

/** The Knative in a cluster. */
export interface FoundKnative {
  /** `1.21.0`; empty: it has no version label. */
  readonly version: string;
  /** The environment of Davit that installed it; undefined: somebody else did. */
  readonly owner: string | undefined;
  readonly kourier: boolean;
  /** The ingress class of Routes that name none. */
  readonly ingressClass: string | undefined;
  /** Whether queries may go through a service mesh: `auto` (undefined), `enabled` or `disabled`. */
  readonly meshMode: string | undefined;
  /** The maximum duration of a request, in seconds. */
  readonly maxTimeoutSeconds: number;
  readonly activator: { readonly replicas: number; readonly graceSeconds: number };
}

interface LabelledObject {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
}

interface Deployment extends LabelledObject {
  readonly spec: {
    readonly replicas?: number;
    readonly template: { readonly spec: { readonly terminationGracePeriodSeconds?: number } };
  };
}

interface ConfigMap {
  readonly data?: Readonly<Record<string, string>>;
}

const KNATIVE_DEFAULT_SECONDS = 600;
const DEPLOYMENTS = '/apis/apps/v1/namespaces/knative-serving/deployments';
const CONFIG_MAPS = '/api/v1/namespaces/knative-serving/configmaps';

/** Looks for Knative Serving in the cluster and reads its owner and its settings. */
export async function findKnative(api: KubernetesApi): Promise<FoundKnative | undefined> {
  const [controller, activator, namespace, kourier, network, defaults] = await Promise.all([
    api.get<Deployment>(`${DEPLOYMENTS}/controller`),
    api.get<Deployment>(`${DEPLOYMENTS}/activator`),
    api.get<LabelledObject>('/api/v1/namespaces/knative-serving'),
    api.get('/api/v1/namespaces/kourier-system/services/kourier-internal'),
    api.get<ConfigMap>(`${CONFIG_MAPS}/config-network`),
    api.get<ConfigMap>(`${CONFIG_MAPS}/config-defaults`),
  ]);
  if (!controller || !namespace) return undefined;
  const { [MANAGED_BY_LABEL]: managedBy, [ENVIRONMENT_LABEL]: environment } = namespace.metadata.labels ?? {};
  return {
    version: (controller.metadata.labels?.['app.kubernetes.io/version'] ?? '').replace(/^v/, ''),
    owner: managedBy === MANAGED_BY ? environment : undefined,
    kourier: kourier !== undefined,
    ingressClass: network?.data?.['ingress-class'],
    meshMode: network?.data?.['mesh-compatibility-mode'],
    maxTimeoutSeconds: Number(defaults?.data?.['max-revision-timeout-seconds'] ?? KNATIVE_DEFAULT_SECONDS),
    activator: {
      replicas: activator?.spec.replicas ?? 0,
      graceSeconds: activator?.spec.template.spec.terminationGracePeriodSeconds ?? 0,
    },
  };
}
