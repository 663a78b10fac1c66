import { describe, expect, it } from 'vitest';
import { FLOWER, makeInstruction } from './client.ts';
import { CALLS_A_MINUTE, ENDPOINTS, ENTITY, FAULTS, IRIS, LIMITED, SPLIT } from './endpoint-files.ts';
import type { SuiteContext } from './suite-context.ts';

const ROOT = '/api/2.0/serving-endpoints';
/** Metrics and logs may include a request only some time after its response. */
const SOON = { timeout: 20_000, interval: 500 };

/** Tests of the read requests of Databricks' management API. */
export function describeManagement({ client, capabilities, given }: SuiteContext): void {
  const read = async (path: string) => {
    const { status, headers, body } = await client.get(path);
    expect([status, headers['content-type']]).toEqual([200, expect.stringMatching(/^application\/json/)]);
    return JSON.parse(body) as unknown;
  };

  describe('the management API', () => {
    it('serves the login configuration without a valid token', async () => {
      const answers = [null, 'wrong', given().token].map((token) =>
        client.get('/.well-known/databricks-config', { token }),
      );
      for (const { status, body } of await Promise.all(answers)) expect([status, body]).toEqual([200, '{}']);
    });

    it.each([ROOT, `${ROOT}/`])('lists every endpoint at %s', async (path) => {
      const { endpoints } = (await read(path)) as { endpoints: { name: string }[] };
      const mine = endpoints.filter((e) => e.name in ENDPOINTS);
      expect(mine.map((e) => e.name).sort()).toEqual(Object.keys(ENDPOINTS).sort());
      expect(await Promise.all(mine.map((e) => read(`${ROOT}/${encodeURIComponent(e.name)}`)))).toEqual(mine);
    });

    it("describes an endpoint in Databricks' format", async () => {
      const compute = {
        workload_type: 'CPU',
        min_provisioned_concurrency: 2,
        max_provisioned_concurrency: 2,
        scale_to_zero_enabled: false,
        state: { deployment: 'DEPLOYMENT_READY', deployment_state_message: '' },
      };
      const time = expect.any(Number) as number;
      expect(await read(`${ROOT}/${IRIS}`)).toEqual({
        id: expect.stringMatching(/^[\da-f]{32}$/) as string,
        name: IRIS,
        description: 'Flowers',
        tags: [{ key: 'team', value: 'x' }],
        creation_timestamp: time,
        last_updated_timestamp: time,
        state: { ready: 'READY', config_update: 'NOT_UPDATING' },
        config: {
          served_entities: [{ name: ENTITY.iris, entity_name: 'iris', entity_version: '1', ...compute }],
          served_models: [{ name: ENTITY.iris, model_name: 'iris', model_version: '1', ...compute }],
          traffic_config: {
            routes: [{ served_model_name: ENTITY.iris, served_entity_name: ENTITY.iris, traffic_percentage: 100 }],
          },
          config_version: expect.any(Number) as number,
        },
        endpoint_url: `${given().host}/serving-endpoints/${IRIS}/invocations`,
        permission_level: 'CAN_QUERY',
        route_optimized: false,
      });
    });

    it('shows the traffic shares and the rate limits', async () => {
      const split = (await read(`${ROOT}/${SPLIT}`)) as EndpointDescription;
      expect(split.config.traffic_config.routes.map((r) => [r.served_entity_name, r.traffic_percentage])).toEqual([
        [ENTITY.champion, 90],
        [ENTITY.challenger, 10],
        [ENTITY.shadow, 0],
      ]);
      const limited = (await read(`${ROOT}/${LIMITED}`)) as EndpointDescription;
      expect(limited.ai_gateway).toEqual({
        rate_limits: [{ calls: CALLS_A_MINUTE, key: 'endpoint', renewal_period: 'minute' }],
      });
    });

    it('counts responses by entity in OpenMetrics', async () => {
      const metrics = async (endpoint: string) => {
        const { status, headers, body } = await client.get(`${ROOT}/${encodeURIComponent(endpoint)}/metrics`);
        expect(status).toBe(200);
        expect(headers['content-type']).toMatch(/^application\/openmetrics-text/);
        expect(body).toMatch(/# EOF\n$/);
        return (name: string, entity: string) => {
          const line = new RegExp(`^${name}\\{endpoint="${endpoint}",served_entity="${entity}"\\} (\\S+)$`, 'm');
          return Number(line.exec(body)?.[1] ?? NaN);
        };
      };
      await client.query(IRIS, FLOWER.inputs);
      await client.query(IRIS, '{');
      await client.query(FAULTS, makeInstruction('raise'));
      await expect
        .poll(async () => {
          const [iris, faults] = [await metrics(IRIS), await metrics(FAULTS)];
          return {
            all: iris('request_count_total', ENTITY.iris) >= 2,
            client: iris('request_4xx_count_total', ENTITY.iris) >= 1,
            server: faults('request_5xx_count_total', 'faults') >= 1,
            latencies: iris('request_latency_ms_count', ENTITY.iris) >= 2,
            provisioned: iris('provisioned_concurrent_requests_total', ENTITY.iris),
          };
        }, SOON)
        .toEqual({ all: true, client: true, server: true, latencies: true, provisioned: 2 });
    });

    it('returns logs and build logs', async () => {
      const logs = `${ROOT}/${FAULTS}/served-models/faults`;
      await client.query(FAULTS, makeInstruction('raise'));
      await expect.poll(async () => JSON.stringify(await read(`${logs}/logs`)), SOON).toContain('secret of the row');
      expect(await read(`${logs}/build-logs`)).toEqual({
        logs: expect.stringContaining(capabilities.buildLog) as string,
      });
    });

    it('describes queries to each entity and to the endpoint in OpenAPI', async () => {
      const openApi = async (endpoint: string) =>
        (await read(`${ROOT}/${encodeURIComponent(endpoint)}/openapi`)) as OpenApi;
      const iris = await openApi(IRIS);
      expect(iris).toMatchObject({ openapi: '3.1.0', info: { title: IRIS, description: 'Flowers' } });
      expect(iris.servers).toEqual([{ url: `${given().host}/serving-endpoints/${IRIS}` }]);
      expect(Object.keys(iris.paths)).toEqual([`/served-models/${ENTITY.iris}/invocations`, '/invocations']);
      const { oneOf } = iris.paths['/invocations']!.post.requestBody.content['application/json'].schema;
      expect(oneOf.flatMap((one) => one.required)).toEqual(Object.keys(FLOWER));
      expect(JSON.stringify(oneOf)).toContain('"petal width (cm)":{"type":"number","format":"double"}');
      const split = await openApi(SPLIT);
      expect(Object.keys(split.paths)).toEqual([
        ...[ENTITY.champion, ENTITY.challenger, ENTITY.shadow].map((e) => `/served-models/${e}/invocations`),
        '/invocations',
      ]);
      expect(JSON.stringify(await openApi(FAULTS))).toContain(
        '"factor":{"type":"number","format":"double","default":1}',
      );
    });

    it("shows permissions by the endpoint's id", async () => {
      const { id } = (await read(`${ROOT}/${FAULTS}`)) as EndpointDescription;
      expect(await read(`/api/2.0/permissions/serving-endpoints/${id}`)).toMatchObject({
        object_id: `/serving-endpoints/${id}`,
        object_type: 'serving-endpoint',
      });
      const levels = (await read(`/api/2.0/permissions/serving-endpoints/${id}/permissionLevels`)) as {
        permission_levels: { permission_level: string }[];
      };
      expect(levels.permission_levels.map((l) => l.permission_level)).toEqual(['CAN_VIEW', 'CAN_QUERY', 'CAN_MANAGE']);
    });
  });
}

interface OpenApi {
  readonly servers: readonly unknown[];
  readonly paths: Readonly<
    Record<
      string,
      {
        readonly post: {
          readonly requestBody: {
            readonly content: {
              readonly 'application/json': {
                readonly schema: { readonly oneOf: readonly { readonly required: readonly string[] }[] };
              };
            };
          };
        };
      }
    >
  >;
}

interface EndpointDescription {
  readonly id: string;
  readonly config: {
    readonly traffic_config: {
      readonly routes: readonly { readonly served_entity_name: string; readonly traffic_percentage: number }[];
    };
  };
  readonly ai_gateway?: unknown;
}
