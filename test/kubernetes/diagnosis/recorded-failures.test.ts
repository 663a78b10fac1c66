import { expect, test } from 'vitest';
import type { KubernetesApi } from '../../../kubernetes/client/api.ts';
import {
  clearFailure,
  readFailures,
  recordFailure,
  removeConfiguration,
} from '../../../kubernetes/diagnosis/recorded-failures.ts';
import type { UpdateFailure } from '../../../schemas/deployment/update-failure.ts';

const FAILURE: UpdateFailure = {
  endpoint: 'iris',
  entity: 'iris-2',
  revision: 'iris-r-1',
  model: 'iris 2',
  message: 'Its container ends',
  hints: ['Traceback', 'no'],
};
const MAPS = '/api/v1/namespaces/models/configmaps';

test('the failure of an endpoint is recorded, read, replaced and cleared', async () => {
  const { api, objects } = makeCluster({ '/api/v1/namespaces/models/serviceaccounts/a': { metadata: { uid: 'u-1' } } });
  await recordFailure(api, FAILURE, { namespace: 'models', owner: 'a' });
  const [path = ''] = [...objects.keys()].filter((p) => p.startsWith(MAPS));
  expect(objects.get(path)).toMatchObject({
    kind: 'ConfigMap',
    metadata: { ownerReferences: [{ kind: 'ServiceAccount', name: 'a', uid: 'u-1' }] },
  });
  expect(await readFailures(api, 'models')).toEqual([FAILURE]);
  await recordFailure(api, { ...FAILURE, message: 'another' }, { namespace: 'models', owner: 'a' });
  expect(await readFailures(api, 'models')).toEqual([{ ...FAILURE, message: 'another' }]);
  await clearFailure(api, { namespace: 'models', endpoint: 'iris' });
  expect(await readFailures(api, 'models')).toEqual([]);
});

test('a failure has no owner if the endpoint has no service account yet', async () => {
  const { api, objects } = makeCluster({});
  await recordFailure(api, FAILURE, { namespace: 'models', owner: 'a' });
  expect([...objects.values()][0]).not.toHaveProperty('metadata.ownerReferences');
});

test('invalid failure records are skipped', async () => {
  const broken = { [`${MAPS}/x-failure`]: { data: { 'failure.json': '{' } }, [`${MAPS}/y-failure`]: {} };
  expect(await readFailures(makeCluster(broken).api, 'models')).toEqual([]);
});

test('removeConfiguration() removes a failed Configuration, which may be gone already', async () => {
  const path = '/apis/serving.knative.dev/v1/namespaces/models/configurations/iris-1';
  const { api, objects } = makeCluster({ [path]: {} });
  await removeConfiguration(api, { namespace: 'models', configuration: 'iris-1' });
  await removeConfiguration(api, { namespace: 'models', configuration: 'iris-1' });
  expect(objects.size).toBe(0);
});

/** A cluster that keeps objects by their path. A list contains the objects below its path. */
function makeCluster(there: Readonly<Record<string, object>>) {
  const objects = new Map<string, object>(Object.entries(there));
  const api = {
    get: (path: string) => Promise.resolve(objects.get(path)),
    list: (path: string) =>
      Promise.resolve([...objects].flatMap(([p, object]) => (p.startsWith(`${path}/`) ? [object] : []))),
    apply: (path: string, object: object) => Promise.resolve(objects.set(path, object)),
    remove: (path: string) => Promise.resolve(objects.delete(path)),
  } as unknown as KubernetesApi;
  return { api, objects };
}
