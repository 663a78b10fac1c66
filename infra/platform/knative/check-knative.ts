import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import { checkKnativeVersion } from './check-version.ts';
import type { FoundKnative } from './find-knative.ts';
import { KOURIER_CLASS } from './settings.ts';

/** Refuses to install Knative over an existing one. */
export function checkInstallable(found: FoundKnative | undefined, { name, file }: KubernetesEnvironment): void {
  if (!found || found.owner === name) return;
  const whose = found.owner === undefined ? 'somebody else' : `the environment "${found.owner}"`;
  throw new Error(
    `Cannot install Knative Serving: version ${found.version} is already installed by ${whose}, expected none. Remove "knative" from ${file} to use the installed one`,
  );
}

/** Refuses to use a Knative on which endpoints would not work. */
export function checkAdoptable(
  found: FoundKnative | undefined,
  { name, file, cluster }: KubernetesEnvironment,
): asserts found is FoundKnative {
  const where = cluster.context === undefined ? 'the cluster' : `the cluster "${cluster.context}"`;
  if (!found)
    throw new Error(
      `Cannot adopt Knative Serving: ${where} has none (no Deployment controller in knative-serving), expected 1.21 or later with Kourier. Set knative.manifests in ${file} to install it`,
    );
  if (found.owner === name)
    throw new Error(
      `Cannot adopt Knative Serving: "${name}" itself installed it, so adopting it would remove it with every endpoint on it. Keep knative.manifests in ${file}`,
    );
  checkKnativeVersion(found.version, where);
  if (!found.kourier)
    throw new Error(
      `Cannot adopt Knative Serving ${found.version}: there is no Service kourier-internal in kourier-system, expected Kourier as its ingress`,
    );
  if (found.ingressClass !== KOURIER_CLASS)
    throw new Error(
      `Cannot adopt Knative Serving ${found.version}: its ingress-class in config-network is ${found.ingressClass ?? 'not set'}, expected ${KOURIER_CLASS}`,
    );
}
