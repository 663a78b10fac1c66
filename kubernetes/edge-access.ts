import type { KubernetesEnvironment } from '../schemas/environment/environment.ts';
import { CLIENT_ACCOUNT, EDGE } from '../schemas/environment/platform-names.ts';
import type { KubernetesApi } from './client/api.ts';

interface Service {
  readonly spec: { readonly clusterIP?: string; readonly ports: readonly { readonly port: number }[] };
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] };
  };
}

/** Where clients reach the edge: the environment's URL, else its Service's address. Throws when there is no Service. */
export async function findEdge(
  api: KubernetesApi,
  { gateway, platformNamespace, name }: KubernetesEnvironment,
): Promise<string> {
  if (gateway.url !== undefined) return gateway.url.replace(/(?<!\/)\/+$/, '');
  const service = await api.get<Service>(`/api/v1/namespaces/${platformNamespace}/services/${EDGE}`);
  if (!service)
    throw new Error(
      `Cannot find the edge of "${name}": there is no Service ${EDGE} in the namespace ${platformNamespace}, expected the platform to be deployed: npx davit up _platform --environment ${name}`,
    );
  const [outside] = service.status?.loadBalancer?.ingress ?? [];
  const address = outside?.hostname ?? outside?.ip ?? service.spec.clusterIP ?? '';
  const port = service.spec.ports[0]?.port ?? 80;
  const scheme = gateway.tlsSecret === undefined ? 'http' : 'https';
  const usual = scheme === 'https' ? 443 : 80;
  return `${scheme}://${address}${port === usual ? '' : `:${port}`}`;
}

/** A token of the cluster that may query every endpoint for `seconds`. It is valid even with an OIDC provider. */
export async function requestClientToken(
  api: KubernetesApi,
  { identity, platformNamespace }: KubernetesEnvironment,
  seconds: number,
): Promise<string> {
  const path = `/api/v1/namespaces/${platformNamespace}/serviceaccounts/${CLIENT_ACCOUNT}/token`;
  const made = await api.create<{ readonly status: { readonly token: string } }>(path, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences: [identity.audience], expirationSeconds: seconds },
  });
  return made.status.token;
}
