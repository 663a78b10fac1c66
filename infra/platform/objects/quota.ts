import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import type { PlainManifest } from '../plain-manifest.ts';
import { makePlatformLabels } from '../labels.ts';

const NAME = 'davit-models';
/**
 * The memory of Knative's proxy beside a model. The proxy declares none, and a quota refuses containers that declare
 * none.
 */
const PROXY_MEMORY = { request: '64Mi', limit: '800Mi' };
const STORAGE = 'ephemeral-storage';
/** Its log on the node. */
const PROXY_STORAGE = '256Mi';
const REFUSED_RESOURCES = ['limits.cpu'];

/** Makes the quota that all models share, and defaults for containers that declare nothing; empty without a quota. */
export function makeQuota(environment: KubernetesEnvironment): readonly PlainManifest[] {
  const { quota, namespace } = environment;
  const resources = Object.keys(quota);
  if (resources.length === 0) return [];
  const refused = resources.find((r) => REFUSED_RESOURCES.includes(r));
  if (refused !== undefined)
    throw new Error(
      `Cannot use "${refused}" in the quota of ${environment.file}: models have no limit on CPU, expected requests.cpu`,
    );
  const storage = resources.some((r) => r.endsWith(STORAGE));
  const metadata = { name: NAME, namespace, labels: makePlatformLabels(environment) };
  return [
    { apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec: { hard: quota } },
    {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata,
      spec: {
        limits: [
          {
            type: 'Container',
            defaultRequest: { cpu: '25m', memory: PROXY_MEMORY.request, ...(storage && { [STORAGE]: '0' }) },
            default: { memory: PROXY_MEMORY.limit, ...(storage && { [STORAGE]: PROXY_STORAGE }) },
          },
        ],
      },
    },
  ];
}
