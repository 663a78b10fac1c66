import { expect, test } from 'vitest';
import { checkLockedEntities } from '../../infra/check-locked-entities.ts';
import { readDeclaration } from '../../infra/read-declaration.ts';
import { makeRevisionInputs } from '../../infra/targets/local/make-revision-inputs.ts';
import { makeRouteInputs } from '../../infra/targets/local/make-route-inputs.ts';
import { parseLock } from '../../schemas/lock/lock.ts';
import type { Declaration } from '../../infra/declaration.ts';
import type { LocalEnvironment } from '../../schemas/environment/environment.ts';
import { makeEndpointProject, makeLock } from './endpoint-project.ts';

const HERE = { endpoint: 'iris', environment: 'here' };

test('makeRevisionInputs() and makeRouteInputs() make what the local provider is told', async () => {
  const { root, declare } = await makeEndpointProject();
  await declare({ one: { version: 1, percentage: 100 }, two: { version: 2, percentage: 0, max: 8 } });
  const declaration = requireLocal(await readDeclaration({ root, endpoints: 'endpoints' }, HERE));
  const revisions = declaration.endpoint.entities.map((entity) => makeRevisionInputs(declaration, entity));
  expect(revisions[1]).toEqual({
    name: expect.stringMatching(/^two-[0-9a-f]{10}$/) as string,
    endpoint: 'iris',
    entity: 'two',
    model: { name: 'iris', version: '2', uri: undefined, digest: `sha256:${'2'.repeat(64)}` },
    virtualenv: 'python3.11-0123456789',
    environmentVars: {},
    workers: 4,
    timeLimitSeconds: 120,
    bounds: { min: 1, max: 8, scaleToZero: false },
    lock: 'endpoints/iris.lock',
    autoscaling: { idleSeconds: 1800, scaleDownSeconds: 300 },
  });
  const signature = { inputs: null, outputs: null, params: null };
  expect(makeRouteInputs(declaration, revisions)).toEqual({
    endpoint: 'iris',
    description: '',
    tags: [],
    entities: [
      { name: 'one', revision: revisions[0]?.name, trafficPercentage: 100, signature },
      { name: 'two', revision: revisions[1]?.name, trafficPercentage: 0, signature },
    ],
    gateway: {},
  });
});

test('checkLockedEntities() reports an entity whose model is another than the locked one', async () => {
  const { root, declare } = await makeEndpointProject();
  await declare({ one: { version: 1, percentage: 50 }, two: { version: 2, percentage: 50 } });
  const { endpoint } = await readDeclaration({ root, endpoints: 'endpoints' }, HERE);
  const { lock } = parseLock(makeLock({ one: { version: 1 }, two: { version: 1 } }), 'endpoints/iris.lock');
  expect(lock && checkLockedEntities(endpoint, lock)).toEqual([
    {
      code: 'lock-stale',
      severity: 'error',
      file: 'endpoints/iris.yaml',
      line: endpoint.entities[1]?.place.line,
      column: endpoint.entities[1]?.place.column,
      message: 'Cannot deploy "two": the lock does not contain iris version 2',
      hint: 'Update the lock: npx davit lock iris',
    },
  ]);
});

function requireLocal({ environment, ...rest }: Declaration): Declaration<LocalEnvironment> {
  if (environment.target !== 'local') throw new TypeError('expected the local target');
  return { ...rest, environment };
}
