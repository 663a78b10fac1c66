import { describe, expect, it } from 'vitest';
import { renderEndpoint } from '../../serving-api/render-endpoint.ts';
import type { ServedEndpoint, ServedEntity } from '../../serving-api/served-endpoint.ts';
import { makeServedEntity } from './served.ts';

const ENTITY = makeServedEntity('iris-1', { modelName: 'main.default.iris', workloadType: 'GPU_SMALL' });
const ENDPOINT: ServedEndpoint = {
  name: 'iris',
  description: 'Flowers',
  tags: [{ key: 'team', value: 'x' }],
  created: 1000,
  updated: 2000,
  configVersion: 3,
  entities: [ENTITY],
  pending: [],
  routeOptimized: true,
  rateLimits: [{ calls: 100, key: 'endpoint', principal: undefined, renewalSeconds: 60 }],
  permissions: [],
  stopped: false,
};
const SEEN = { url: 'http://127.0.0.1:8080', level: 'CAN_VIEW' } as const;
const state = (more: Partial<ServedEndpoint>) =>
  (renderEndpoint({ ...ENDPOINT, ...more }, SEEN) as { readonly state: unknown }).state;

describe('renderEndpoint()', () => {
  it("has Databricks' shape", () => {
    const compute = {
      workload_type: 'GPU_SMALL',
      min_provisioned_concurrency: 0,
      max_provisioned_concurrency: 4,
      scale_to_zero_enabled: true,
      state: { deployment: 'DEPLOYMENT_READY', deployment_state_message: '' },
    };
    expect(renderEndpoint(ENDPOINT, SEEN)).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      name: 'iris',
      description: 'Flowers',
      tags: [{ key: 'team', value: 'x' }],
      creation_timestamp: 1000,
      last_updated_timestamp: 2000,
      state: { ready: 'READY', config_update: 'NOT_UPDATING' },
      config: {
        served_entities: [{ name: 'iris-1', entity_name: 'main.default.iris', entity_version: '1', ...compute }],
        served_models: [{ name: 'iris-1', model_name: 'main.default.iris', model_version: '1', ...compute }],
        traffic_config: {
          routes: [{ served_model_name: 'iris-1', served_entity_name: 'iris-1', traffic_percentage: 100 }],
        },
        config_version: 3,
      },
      endpoint_url: 'http://127.0.0.1:8080/serving-endpoints/iris/invocations',
      permission_level: 'CAN_VIEW',
      route_optimized: true,
      ai_gateway: { rate_limits: [{ calls: 100, key: 'endpoint', renewal_period: 'minute' }] },
    });
  });

  it('is ready only when every entity is, and tells how an update goes', () => {
    const coming = (entity: Partial<ServedEntity>) => [{ ...ENTITY, name: 'iris-2', ...entity }];
    expect(state({ pending: coming({ state: 'creating' }) })).toEqual({ ready: 'READY', config_update: 'IN_PROGRESS' });
    expect(state({ pending: coming({ state: 'failed' }) })).toEqual({ ready: 'READY', config_update: 'UPDATE_FAILED' });
    const recovering = [ENTITY, { ...ENTITY, state: 'recovering' as const }];
    expect(state({ entities: recovering })).toEqual({ ready: 'NOT_READY', config_update: 'NOT_UPDATING' });
    expect(state({ entities: [], pending: coming({ state: 'creating' }) })).toEqual({
      ready: 'NOT_READY',
      config_update: 'IN_PROGRESS',
    });
    expect(state({ stopped: true })).toEqual({ ready: 'NOT_READY', config_update: 'NOT_UPDATING', suspend: 'STOPPED' });
  });

  it('shows what is on its way, and no configuration before the first', () => {
    const pending = [{ ...ENTITY, state: 'failed' as const, message: 'No module named x' }];
    const first = renderEndpoint({ ...ENDPOINT, entities: [], pending, configVersion: 0 }, SEEN);
    expect(first).not.toHaveProperty('config');
    expect(first).toMatchObject({
      pending_config: {
        config_version: 1,
        served_entities: [
          { state: { deployment: 'DEPLOYMENT_FAILED', deployment_state_message: 'No module named x' } },
        ],
      },
    });
  });
});
