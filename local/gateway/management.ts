import { noQueryDescription } from '../../serving-api/refusal.ts';
import { Refused } from '../../serving-api/refusal-error.ts';
import { endpointId, renderEndpoint } from '../../serving-api/render-endpoint.ts';
import { renderMetrics } from '../../serving-api/render-metrics.ts';
import { MISSING_OPEN_API, renderOpenApi } from '../../serving-api/render-openapi.ts';
import { renderPermissionLevels, renderPermissions } from '../../serving-api/render-permissions.ts';
import type { ServedEndpoint } from '../../serving-api/served-endpoint.ts';
import { TrafficCounter } from '../../serving-api/traffic-counter.ts';
import { describeRevisions, describeServed } from '../supervisor/describe-fleet.ts';
import type { DurableState } from '../supervisor/durable-state.ts';
import type { Fleet } from '../supervisor/fleet.ts';
import type { ManagementResponse, ManagementRequest } from './gateway-server.ts';
import type { RevisionLogs } from '../revisions/revision-logs.ts';
import type { Routes } from './routes.ts';
import { readOwn } from '../../schemas/values/read-own.ts';

interface ManagementDependencies {
  readonly fleet: Fleet;
  readonly routes: Routes;
  readonly logs: RevisionLogs;
}

const METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const LOG_LINES = 1000;

/** The read-only management API: endpoints, permissions, metrics and logs. */
export class Management {
  readonly #state: DurableState;
  readonly #parts: ManagementDependencies;
  readonly #traffic = new Map<string, TrafficCounter>();

  constructor(state: DurableState, parts: ManagementDependencies) {
    this.#state = state;
    this.#parts = parts;
  }

  /** Returns the traffic counts of one entity. */
  traffic(endpoint: string, entity: string): TrafficCounter {
    const key = `${endpoint}/${entity}`;
    const traffic = this.#traffic.get(key) ?? new TrafficCounter();
    this.#traffic.set(key, traffic);
    return traffic;
  }

  /** Handles a request. Returns undefined if the object does not exist. `url` is the gateway's. Throws a Refused. */
  async answer(request: ManagementRequest, url: string): Promise<ManagementResponse | undefined> {
    const served = describeServed(this.#state.now, describeRevisions(this.#parts.fleet.known));
    const viewer = { url, level: 'CAN_QUERY' } as const;
    if (request.kind === 'list') return json({ endpoints: served.map((e) => renderEndpoint(e, viewer)) });
    if ('id' in request) return answerPermissions(request, served);
    const endpoint = served.find((e) => e.name === request.endpoint);
    if (!endpoint) return undefined;
    if (request.kind === 'get') return json(renderEndpoint(endpoint, viewer));
    if (request.kind === 'openapi') return json(describeQueries(endpoint, url));
    if (request.kind === 'metrics') return { contentType: METRICS, body: this.#metrics(request.endpoint) };
    const logs = await this.#readLogs(request.endpoint, request.entity, request.kind === 'logs' ? 'log' : 'build-log');
    return logs && json({ logs: logs.join('\n') });
  }

  async #readLogs(endpoint: string, entity: string, which: 'log' | 'build-log') {
    const { fleet, logs } = this.#parts;
    const route = readOwn(this.#state.now.endpoints, endpoint);
    const serving = route?.entities.find((e) => e.name === entity)?.revision;
    const coming = [...fleet.known].find(([, { stored: s }]) => s.endpoint === endpoint && s.entity === entity);
    const revision = serving ?? coming?.[0];
    return revision === undefined ? undefined : logs.read(revision, which, LOG_LINES);
  }

  #metrics(endpoint: string): string {
    const entities = (this.#parts.routes.find(endpoint) ?? []).map(({ name, pool }) => ({
      entity: name,
      traffic: this.traffic(endpoint, name).read(performance.now()),
      provisioned: pool.ready * pool.settings.workers,
    }));
    return renderMetrics(endpoint, entities);
  }
}

function describeQueries(endpoint: ServedEndpoint, url: string): object {
  const document = renderOpenApi(endpoint, url);
  if (document) return document;
  throw new Refused(noQueryDescription(endpoint.name, MISSING_OPEN_API));
}

function answerPermissions(
  { kind, id }: Extract<ManagementRequest, { id: string }>,
  served: readonly ServedEndpoint[],
): ManagementResponse | undefined {
  const endpoint = served.find((e) => endpointId(e.name) === id);
  if (!endpoint) return undefined;
  return json(
    kind === 'permissions' ? renderPermissions(endpoint.name, endpoint.permissions) : renderPermissionLevels(),
  );
}

function json(value: unknown): ManagementResponse {
  return { contentType: 'application/json', body: JSON.stringify(value) };
}
