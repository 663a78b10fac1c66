import { isAbsolute, relative, resolve } from 'node:path';
import { Provider } from '@pulumi/kubernetes/provider.js';
import type { KubernetesEnvironment } from '../../schemas/environment.ts';

/** The cluster of an environment, for all objects of a stack. */
export function makeProvider(environment: KubernetesEnvironment, root: string): Provider {
  return new Provider(environment.name, makeProviderArguments(environment, root));
}

/**
 * What the provider is told. An environment is its cluster: a context with another name, or a kubeconfig that has moved,
 * must never replace what serves. What was reviewed wins over what was edited by hand. ConfigMaps and Secrets are
 * changed in place, since Knative and the edge know them by name.
 */
function makeProviderArguments({ name, cluster }: KubernetesEnvironment, root: string) {
  return {
    clusterIdentifier: name,
    // Empty, not undefined: KUBECONFIG of whoever runs this does not belong into the state; the plugin reads it itself.
    kubeconfig: cluster.kubeconfig === undefined ? '' : portablePath(cluster.kubeconfig, root),
    ...(cluster.context !== undefined && { context: cluster.context }),
    enableServerSideApply: true,
    enablePatchForce: true,
    // What an update that was killed has made already is taken over by the next one.
    upsertExistingObjects: true,
    enableConfigMapMutable: true,
    enableSecretMutable: true,
  };
}

/** The plugin runs in the program's folder; a path in the project is the same there in every checkout. */
function portablePath(path: string, root: string): string {
  if (isAbsolute(path) || path.startsWith('~')) return path;
  return relative(process.cwd(), resolve(root, path));
}
