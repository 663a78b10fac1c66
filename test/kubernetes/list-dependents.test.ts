import { describe, expect, it } from 'vitest';
import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import { listDependents } from '../../kubernetes/client/list-dependents.ts';
import { makeEnvironment } from '../infra/platform/kubernetes-environment.ts';

const ENTRIES = '/api/v1/namespaces/models/configmaps';
const SERVING = '/apis/serving.knative.dev/v1';

/** Lists by path; a Knative that is not there has no path. */
function fakeApi(lists: Readonly<Record<string, readonly unknown[]>>): KubernetesApi {
  const known = Object.keys(lists).some((path) => path.startsWith(SERVING));
  const api: Pick<KubernetesApi, 'get' | 'list'> = {
    get: <T>() => Promise.resolve(known ? ({} as T) : undefined),
    list: <T>(path: string) => Promise.resolve((lists[path] ?? []) as readonly T[]),
  };
  return api as KubernetesApi;
}

const iris = { data: { 'endpoint.json': '{"name":"iris"}' } };
const routes = [
  { metadata: { namespace: 'models', name: 'iris-1a2b3c4d' } },
  { metadata: { namespace: 'shop', name: 'web' } },
];
const api = fakeApi({ [ENTRIES]: [iris], [`${SERVING}/routes`]: routes });

describe('listDependents()', () => {
  it('names endpoints, and what else runs on a Knative of its own', async () => {
    expect(await listDependents(api, makeEnvironment())).toEqual(['iris', 'shop/web']);
  });

  it("leaves out what runs on somebody else's Knative, which stays", async () => {
    expect(await listDependents(api, makeEnvironment({ knative: { mode: 'adopt' } }))).toEqual(['iris']);
  });

  it('names an endpoint whose entry somebody has broken', async () => {
    const broken = {
      metadata: { name: 'a-1a2b', annotations: { 'davit.dev/name': 'owl' } },
      data: { 'endpoint.json': '{' },
    };
    const adopted = makeEnvironment({ knative: { mode: 'adopt' } });
    expect(await listDependents(fakeApi({ [ENTRIES]: [iris, broken] }), adopted)).toEqual(['iris', 'owl']);
  });

  it('finds nothing where nothing is', async () => {
    expect(await listDependents(fakeApi({}), makeEnvironment())).toEqual([]);
  });
});
