import { isAbsolute, relative, resolve } from 'node:path';
import { Provider } from '@pulumi/kubernetes/provider.js';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';

interface ProviderFolders {
  /** Absolute path of the project. */
  readonly root: string;
  /** Absolute path of the folder in which the plugin runs. */
  readonly providerFolder: string;
}

/** The provider of an environment's cluster, for all objects of a stack. */
export function makeProvider(environment: KubernetesEnvironment, folders: ProviderFolders): Provider {
  return new Provider(environment.name, makeProviderArguments(environment, folders));
}

/**
 * Makes the provider's arguments. The environment identifies its cluster, so a renamed context or a moved kubeconfig
 * never replaces what serves. The reviewed fields win over fields that were edited by hand. ConfigMaps and Secrets are
 * changed in place, because Knative and the edge know them by name.
 */
function makeProviderArguments({ name, cluster }: KubernetesEnvironment, folders: ProviderFolders) {
  return {
    clusterIdentifier: name,
    // Empty, not undefined: the state must not hold this user's KUBECONFIG. The plugin reads that variable itself.
    kubeconfig: cluster.kubeconfig === undefined ? '' : portablePath(cluster.kubeconfig, folders),
    ...(cluster.context !== undefined && { context: cluster.context }),
    enableServerSideApply: true,
    enablePatchForce: true,
    // An update adopts the objects that an earlier, killed update has already made.
    upsertExistingObjects: true,
    enableConfigMapMutable: true,
    enableSecretMutable: true,
  };
}

/** A path relative to the plugin's folder is the same in every checkout. */
function portablePath(path: string, { root, providerFolder }: ProviderFolders): string {
  if (isAbsolute(path) || path.startsWith('~')) return path;
  return relative(providerFolder, resolve(root, path));
}
