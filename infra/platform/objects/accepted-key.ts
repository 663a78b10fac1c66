import { PUBLIC_KEY_NAME } from '../../../kubernetes/marks.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import { MARKS } from '../../../schemas/environment/platform-names.ts';
import { makePlatformLabels } from '../labels.ts';
import type { PlainManifest } from '../plain-manifest.ts';

/** Makes the ConfigMap with the key that new revisions accept; the key may be an Output. */
export function makeAcceptedKey(environment: KubernetesEnvironment, key: unknown): PlainManifest {
  const metadata = { name: MARKS, namespace: environment.platformNamespace, labels: makePlatformLabels(environment) };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [PUBLIC_KEY_NAME]: key } };
}
