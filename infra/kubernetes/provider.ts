import { isAbsolute, relative, resolve } from 'node:path';
import { Provider } from '@pulumi/kubernetes/provider.js';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';

/** The provider of an environment's cluster, for all objects of a stack. */
export function makeProvider(environment: KubernetesEnvironment, root: string): Provider {
  return new Provider(environment.name, makeProviderArguments(environment, root));
}

/**
 * Makes the provider's arguments. The environment identifies its cluster, so a renamed context or a moved kubeconfig
 * never replaces what serves. The reviewed fields win over fields that were edited by hand. ConfigMaps and Secrets are
 * changed in place, because Knative and the edge know them by name.
 */
function makeProviderArguments({ name, cluster }: KubernetesEnvironment, root: string) {
  return {
    clusterIdentifier: name,
    // Empty, not undefined: the state must not hold this user's KUBECONFIG. The plugin reads that variable itself.
    kubeconfig: cluster.kubeconfig === undefined ? '' : portablePath(cluster.kubeconfig, root),
    ...(cluster.context !== undefined && { context: cluster.context }),
    enableServerSideApply: true,
    enablePatchForce: true,
    // An update adopts the objects that an earlier, killed update has already made.
    upsertExistingObjects: true,
    enableConfigMapMutable: true,
    enableSecretMutable: true,
  };
}

/** The plugin runs in the program's folder. A path relative to it is the same in every checkout. */
function portablePath(path: string, root: string): string {
  if (isAbsolute(path) || path.startsWith('~')) return path;
  return relative(process.cwd(), resolve(root, path));
}
