import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import type { PlainManifest } from '../plain-manifest.ts';
import type { FoundKnative } from './find-knative.ts';
import { computeLongestRequestSeconds, makeNeededSettings } from './settings.ts';
import { pluralize } from '../../../schemas/values/pluralize.ts';

/** The changes to an existing Knative: fields, not objects. */
export interface KnativeAdoption {
  readonly version: string;
  readonly patches: readonly PlainManifest[];
  /** For the owner of that Knative. */
  readonly warnings: readonly string[];
}

/**
 * Makes the changes that endpoints need in a Knative of another owner. The owner decides how many replicas it has, and
 * settings that would affect other services stay. Limits are only ever raised.
 */
export function makeKnativeAdoption(found: FoundKnative, environment: KubernetesEnvironment): KnativeAdoption {
  const needed = makeNeededSettings(environment);
  const seconds = Math.max(found.maxTimeoutSeconds, computeLongestRequestSeconds(environment));
  const settings = { ...needed, 'config-defaults': { 'max-revision-timeout-seconds': String(seconds) } };
  const grace = Math.max(found.activator.graceSeconds, seconds);
  return {
    version: found.version,
    patches: [
      ...Object.entries(settings).map(([name, data]) => ({ ...identity('v1', 'ConfigMap', name), data })),
      {
        ...identity('apps/v1', 'Deployment', 'activator'),
        spec: { template: { spec: { terminationGracePeriodSeconds: grace } } },
      },
    ],
    warnings: makeWarnings(found, environment),
  };
}

function makeWarnings(
  { activator, meshMode = 'auto' }: FoundKnative,
  { gateway }: KubernetesEnvironment,
): readonly string[] {
  const warnings: string[] = [];
  if (activator.replicas < gateway.replicas)
    warnings.push(
      `Knative's activator has ${pluralize(activator.replicas, 'replica')} and the edge ${gateway.replicas}, and every query passes through both. Ask the owner of Knative for ${pluralize(gateway.replicas, 'replica')}`,
    );
  if (meshMode === 'auto')
    warnings.push(
      'mesh-compatibility-mode in config-network of knative-serving is auto, with which a query can wait 30 s for a replica that ends. Ask the owner of Knative for "disabled", or "enabled" if the cluster has a service mesh',
    );
  return warnings;
}

function identity(apiVersion: string, kind: string, name: string): PlainManifest {
  return { apiVersion, kind, metadata: { name, namespace: 'knative-serving' } };
}
