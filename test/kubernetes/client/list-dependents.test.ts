import { describe, expect, it } from 'vitest';
import type { KubernetesApi } from '../../../kubernetes/client/api.ts';
import { listDependents } from '../../../kubernetes/client/list-dependents.ts';
import { makeEnvironment } from '../../infra/platform/kubernetes-environment.ts';

const ENTRIES = '/api/v1/namespaces/models/configmaps';
const SERVING = '/apis/serving.knative.dev/v1';

/** An API with lists by path. Without Knative, its paths are missing. */
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
  it('lists endpoints and other users of a Knative that Davit owns', async () => {
    expect(await listDependents(api, makeEnvironment())).toEqual(['iris', 'shop/web']);
  });

  it('leaves out other users of an adopted Knative, because it stays installed', async () => {
    expect(await listDependents(api, makeEnvironment({ knative: { mode: 'adopt' } }))).toEqual(['iris']);
  });

  it('lists an endpoint whose entry is invalid', async () => {
    const broken = {
      metadata: { name: 'a-1a2b', annotations: { 'davit.dev/name': 'owl' } },
      data: { 'endpoint.json': '{' },
    };
    const adopted = makeEnvironment({ knative: { mode: 'adopt' } });
    expect(await listDependents(fakeApi({ [ENTRIES]: [iris, broken] }), adopted)).toEqual(['iris', 'owl']);
  });

  it('lists nothing on an empty cluster', async () => {
    expect(await listDependents(fakeApi({}), makeEnvironment())).toEqual([]);
  });
});
