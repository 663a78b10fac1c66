import type { BuildOptions } from '../system/go-build.ts';
import type { Cluster } from './cluster.ts';
import { pinKindParts } from './kind/kind-parts.ts';
import { readManifestFiles } from './knative/manifest-files.ts';
import type { ClusterDescription } from './render-environment.ts';

/** Describes a cluster as a target for endpoints. `registry`: the user's own registry. */
export async function describeCluster(
  found: Cluster,
  { registry, ...options }: BuildOptions & { readonly registry?: string | undefined },
): Promise<ClusterDescription> {
  const { kubeconfig, context, images = {}, dockerHost } = found;
  const cluster = { ...(kubeconfig !== undefined && { kubeconfig }), ...(context !== undefined && { context }) };
  const adopt = found.knative !== undefined && found.knativeIsDavits !== true;
  const common = { cluster, small: found.kind !== 'context', dockerHost };
  const models = `${found.registry ?? ''}/davit`;
  switch (found.kind) {
    case 'context':
      return { ...common, registry, images: {}, knative: adopt ? undefined : 'to fill in' };
    case 'kind':
      return { ...common, registry: registry ?? models, ...(await pinKindParts({ adopt }, options)) };
    case 'node':
      return {
        ...common,
        registry: registry ?? models,
        images,
        knative: adopt ? undefined : await readManifestFiles(),
      };
  }
}
