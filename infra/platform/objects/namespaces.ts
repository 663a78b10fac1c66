import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import type { PlainManifest } from '../plain-manifest.ts';
import { makePlatformLabels } from '../labels.ts';

/**
 * Makes the namespaces of the models and of the platform. Both refuse pods with more rights than a server needs,
 * because a model is code that somebody else wrote.
 */
export function makeNamespaces(environment: KubernetesEnvironment): readonly PlainManifest[] {
  const labels = { ...makePlatformLabels(environment), 'pod-security.kubernetes.io/enforce': 'restricted' };
  return [environment.namespace, environment.platformNamespace].map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels },
  }));
}
