import { expect, it } from 'vitest';
import { type KubernetesApi, KubernetesRefused } from '../../../kubernetes/client/api.ts';
import {
  listConfigurations,
  removeIdleConfigurations,
  removeLeftovers,
} from '../../../kubernetes/diagnosis/leftovers.ts';
import { endpointObjectName } from '../../../schemas/environment/kubernetes-names.ts';

const PLACE = { namespace: 'models', endpoint: 'iris' };
const CONFIGURATIONS = '/apis/serving.knative.dev/v1/namespaces/models/configurations';
const ROUTES = '/apis/serving.knative.dev/v1/namespaces/models/routes';
const MAPS = '/api/v1/namespaces/models/configmaps';

it('removes, after an update, only earlier Configurations that the Route does not name', async () => {
  const route = { metadata: { name: 'r' }, spec: { traffic: [{ revisionName: 'b-1' }, { revisionName: 'c-1' }] } };
  const { api, removed, selectors } = makeApi({ [CONFIGURATIONS]: named('a', 'b', 'c'), [ROUTES]: [route] });
  expect(await listConfigurations(api, PLACE)).toEqual(['a', 'b', 'c']);
  await removeIdleConfigurations(api, PLACE, ['a', 'b']);
  expect(removed).toEqual([`${CONFIGURATIONS}/a`]);
  expect(new Set(selectors)).toEqual(new Set([`davit.dev/endpoint=${endpointObjectName('iris')}`]));
});

it('removes no Configuration if there is no Route', async () => {
  const { api, removed } = makeApi({ [CONFIGURATIONS]: named('a') });
  await removeIdleConfigurations(api, PLACE, ['a']);
  expect(removed).toEqual([]);
});

it('removes all objects of a deleted endpoint, even if Knative is no longer installed', async () => {
  const { api, removed } = makeApi({ [MAPS]: named('entry', 'failure') });
  await removeLeftovers(api, PLACE);
  expect(removed).toEqual([`${MAPS}/entry`, `${MAPS}/failure`]);
});

it('throws in an outage instead of assuming an empty cluster', async () => {
  const { api } = makeApi({}, 503);
  await expect(removeLeftovers(api, PLACE)).rejects.toThrow('refused');
});

function named(...names: readonly string[]): readonly object[] {
  return names.map((name) => ({ metadata: { name } }));
}

function makeApi(objects: Readonly<Record<string, readonly object[]>>, otherwise = 404) {
  const removed: string[] = [];
  const selectors: (string | undefined)[] = [];
  const list = (path: string, { labelSelector }: { readonly labelSelector?: string }) => {
    selectors.push(labelSelector);
    const found = objects[path];
    if (found) return Promise.resolve(found);
    return Promise.reject(new KubernetesRefused('GET', { status: otherwise, reason: 'None', message: 'refused' }));
  };
  const remove = (path: string) => Promise.resolve(removed.push(path) > 0);
  return { api: { list, remove } as unknown as KubernetesApi, removed, selectors };
}
