import type * as pulumi from '@pulumi/pulumi';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import type { KubernetesObject } from '../kubernetes/object-resource.ts';

interface LoadBalanced {
  readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] };
}

/** Where clients reach the edge: the environment's URL, else its Service's address; undefined while it has none. */
export function findEdgeAddress(
  service: KubernetesObject,
  { gateway }: KubernetesEnvironment,
): pulumi.Output<string | undefined> {
  const scheme = gateway.tlsSecret === undefined ? 'http' : 'https';
  return service.spec.apply((spec) =>
    service.status.apply((status) => {
      if (gateway.url !== undefined) return gateway.url;
      const [outside] = (status as LoadBalanced | undefined)?.loadBalancer?.ingress ?? [];
      const address = outside?.hostname ?? outside?.ip ?? (spec?.['clusterIP'] as string | undefined);
      return address === undefined ? undefined : `${scheme}://${address}`;
    }),
  );
}
