import { expect, test } from 'vitest';
import type { Lock, LockedEntity } from '../../../schemas/lock/lock.ts';
import { internalHost } from '../../../schemas/environment/kubernetes-names.ts';
import { makeServingEntry } from '../../../schemas/deployment/make-serving-entry.ts';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';

const TEXT = `name: Iris
description: flowers
tags: [{key: team, value: x}]
config:
  served_entities:
    - {name: champion, entity_name: main.default.iris, entity_version: "1", workload_size: Medium}
    - {name: dark, entity_name: iris, entity_version: "2", workload_type: GPU_SMALL, scale_to_zero_enabled: true}
  traffic_config: {routes: [{served_entity_name: champion, traffic_percentage: 100}]}
route_optimized: true
ai_gateway: {rate_limits: [{calls: 5, key: user, renewal_period: minute}]}
davit: {permissions: [{user_name: ann, permission_level: CAN_QUERY}]}
`;

const SIGNATURE = { inputs: '[{"type": "double", "name": "x"}]', outputs: null, params: null };

/** A lock with what an entry takes of it. */
function lockOf(inputs: Readonly<Record<string, string>>): Lock {
  const entities = Object.entries(inputs).map(([name, text]) => [name, { signature: { ...SIGNATURE, inputs: text } }]);
  return {
    lock_version: 1,
    endpoint: 'Iris',
    entities: Object.fromEntries(entities) as Record<string, LockedEntity>,
    virtualenvs: {},
  };
}

const entryOf = (lock: Lock) =>
  makeServingEntry(parseEndpoint(TEXT, 'endpoints/Iris.yaml').endpoint!, {
    lock,
    revisions: { champion: 'revision-1', dark: 'revision-2' },
    namespace: 'models',
  });

test('makeServingEntry() leaves out a signature that would not leave room for the others', () => {
  const entry = entryOf(lockOf({ champion: 'a'.repeat(256 * 1024), dark: SIGNATURE.inputs }));
  expect(entry.entities.map((e) => e.signature)).toEqual([undefined, SIGNATURE]);
  expect(JSON.stringify(entry).length).toBeLessThan(4096);
});

test('makeServingEntry() says of an endpoint what whoever stands before it has to know, and no more', () => {
  expect(entryOf(lockOf({ champion: SIGNATURE.inputs }))).toEqual({
    name: 'Iris',
    description: 'flowers',
    tags: [{ key: 'team', value: 'x' }],
    host: internalHost('Iris', 'models'),
    entities: [
      {
        name: 'champion',
        host: internalHost('Iris', 'models', 'champion'),
        revision: 'revision-1',
        modelName: 'main.default.iris',
        modelVersion: '1',
        workloadType: 'CPU',
        concurrency: { min: 8, max: 16 },
        scaleToZero: false,
        trafficPercentage: 100,
        signature: SIGNATURE,
      },
      {
        name: 'dark',
        host: internalHost('Iris', 'models', 'dark'),
        revision: 'revision-2',
        modelName: 'iris',
        modelVersion: '2',
        workloadType: 'GPU_SMALL',
        concurrency: { min: 0, max: 4 },
        scaleToZero: true,
        trafficPercentage: 0,
      },
    ],
    permissions: [{ principal: { kind: 'user', name: 'ann' }, level: 'CAN_QUERY' }],
    rateLimits: [{ calls: 5, key: 'user', principal: undefined, renewalSeconds: 60 }],
    routeOptimized: true,
  });
});
