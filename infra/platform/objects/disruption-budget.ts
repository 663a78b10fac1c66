import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import type { PlainManifest } from '../plain-manifest.ts';
import { makePartLabels, makePlatformLabels } from '../labels.ts';

/** Makes a node drain evict one replica of a part at a time. */
export function makeDisruptionBudget(environment: KubernetesEnvironment, part: string): PlainManifest {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: part, namespace: environment.platformNamespace, labels: makePlatformLabels(environment) },
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: makePartLabels(part) },
    },
  };
}
