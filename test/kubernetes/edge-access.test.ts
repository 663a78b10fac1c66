import { expect, test } from 'vitest';
import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import { findEdge, requestClientToken } from '../../kubernetes/edge-access.ts';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';

type Gateway = Partial<KubernetesEnvironment['gateway']>;

const SERVICE = { spec: { clusterIP: '10.96.1.2', ports: [{ port: 80 }] } };

test.each<{ what: string; gateway: Gateway; service: object; url: string }>([
  { what: 'what the environment says', gateway: { url: 'https://x/' }, service: SERVICE, url: 'https://x' },
  { what: 'the address inside the cluster', gateway: {}, service: SERVICE, url: 'http://10.96.1.2' },
  {
    what: "the load balancer's name",
    gateway: {},
    service: { ...SERVICE, status: { loadBalancer: { ingress: [{ hostname: 'lb.example', ip: '192.0.2.1' }] } } },
    url: 'http://lb.example',
  },
  {
    what: "the load balancer's address, with TLS",
    gateway: { tlsSecret: 'tls' },
    service: {
      spec: { ...SERVICE.spec, ports: [{ port: 443 }] },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
    },
    url: 'https://192.0.2.1',
  },
  {
    what: 'a port that is not the usual one',
    gateway: {},
    service: { spec: { clusterIP: '10.96.1.2', ports: [{ port: 8080 }] } },
    url: 'http://10.96.1.2:8080',
  },
])('findEdge() finds $what', async ({ gateway, service, url }) => {
  const api = { get: () => Promise.resolve(service) } as unknown as KubernetesApi;
  expect(await findEdge(api, makeEnvironment(gateway))).toBe(url);
});

test('findEdge() names the missing Service and the command that makes it', async () => {
  const api = { get: () => Promise.resolve(undefined) } as unknown as KubernetesApi;
  await expect(findEdge(api, makeEnvironment({}))).rejects.toThrow(
    'Cannot find the edge of "production": there is no Service davit-edge in the namespace davit-system, expected the platform to be deployed: npx davit up _platform --environment production',
  );
});

test("requestClientToken() requests a token of Davit's client that only the edge accepts", async () => {
  const asked: unknown[] = [];
  const create = (path: string, body: unknown) => {
    asked.push(path, body);
    return Promise.resolve({ status: { token: 't' } });
  };
  expect(await requestClientToken({ create } as unknown as KubernetesApi, makeEnvironment({}), 600)).toBe('t');
  expect(asked).toEqual([
    '/api/v1/namespaces/davit-system/serviceaccounts/davit-client/token',
    {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: ['davit'], expirationSeconds: 600 },
    },
  ]);
});

function makeEnvironment(gateway: Gateway): KubernetesEnvironment {
  const identity = { kind: 'kubernetes', audience: 'davit' };
  return {
    ...{ name: 'production', platformNamespace: 'davit-system', gateway, identity },
  } as unknown as KubernetesEnvironment;
}
