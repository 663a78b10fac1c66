import { type ParsedRequest, parseRequest } from '../serving-api/parse-request.ts';
import * as refusal from '../serving-api/refusal.ts';
import { Refused } from '../serving-api/refusal-error.ts';
import { endpointId, renderEndpoint } from '../serving-api/render-endpoint.ts';
import { renderMetrics } from '../serving-api/render-metrics.ts';
import { MISSING_OPEN_API, renderOpenApi } from '../serving-api/render-openapi.ts';
import { renderPermissionLevels, renderPermissions } from '../serving-api/render-permissions.ts';
import { includesLevel } from '../serving-api/permissions.ts';
import { mapConcurrent } from '../system/map-concurrent.ts';
import {
  findVisibleEntry,
  identifyCaller,
  type AuthorizationDependencies,
  refuseDuringOutage,
  type RequestHead,
} from './authorize-query.ts';
import { entriesNotSynced, logsNotPermitted, originNotAllowed } from './edge-refusals.ts';
import type { Entry } from './cluster-objects/entries.ts';
import type { Identity } from './identity/identity.ts';
import type { ServingObjects } from './cluster-objects/serving-objects.ts';
import { type EndpointTraffic, NO_TRAFFIC } from './counting/traffic-counts.ts';
import { readOwn } from '../schemas/values/read-own.ts';

export interface ManagementDependencies {
  readonly authorization: AuthorizationDependencies;
  readonly objects: ServingObjects;
  readonly traffic: EndpointTraffic;
  /** Where clients reach the edge; undefined: the address in their own requests. */
  readonly url: string | undefined;
}

export interface ManagementResponse {
  readonly contentType: string;
  readonly body: string;
}

const METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
/** How many requests are sent to the API server at once to learn a caller's rights on every endpoint. */
const MAX_CONCURRENT_REVIEWS = 8;
type ManagementRequest = Exclude<ParsedRequest, { kind: 'query' | 'discovery' | 'write' | 'wrong-method' | 'unknown' }>;

/** The read-only part of Databricks' management API, limited to what the caller may see. */
export class Management {
  readonly #parts: ManagementDependencies;

  constructor(parts: ManagementDependencies) {
    this.#parts = parts;
  }

  /** Answers, or throws Refused. */
  async answer(head: RequestHead): Promise<ManagementResponse> {
    // Envoy has already answered preflight requests of allowed origins.
    if (head.method === 'OPTIONS' && head.headers['access-control-request-method'] !== undefined)
      throw new Refused(originNotAllowed);
    const parsed = parseRequest(head.method, head.target);
    if (parsed.kind === 'discovery') return json({}); // nothing but the token they have
    if (parsed.kind === 'unknown') throw new Refused(refusal.unknownPath);
    const identity = await identifyCaller(head, this.#parts.authorization);
    if (parsed.kind === 'query') throw new Refused(refusal.unknownPath); // Envoy routes queries elsewhere
    if (parsed.kind === 'write') throw new Refused(refusal.readOnlyApi(parsed.endpoint));
    if (parsed.kind === 'wrong-method') throw new Refused(refusal.wrongMethod(head.method, parsed.allow));
    return this.#respond(parsed, identity, this.#parts.url ?? readUrl(head));
  }

  async #respond(parsed: ManagementRequest, identity: Identity, url: string): Promise<ManagementResponse> {
    const { authorization, objects } = this.#parts;
    if (parsed.kind === 'list') return this.#list(identity, url);
    const { entry, level } = await findVisibleEntry(
      this.#nameOf(parsed),
      { identity, wanted: 'CAN_QUERY' },
      authorization,
    );
    switch (parsed.kind) {
      case 'get':
        return json({ ...objects.describe([entry]).map((e) => renderEndpoint(e, { url, level }))[0] });
      case 'metrics':
        return { contentType: METRICS, body: await this.#metrics(entry) };
      case 'openapi':
        return json(this.#describeQueries(entry, url));
      case 'permissions':
        return json(renderPermissions(entry.name, entry.permissions));
      case 'permission-levels':
        return json(renderPermissionLevels());
      case 'logs':
        if (!includesLevel(level, 'CAN_QUERY')) throw new Refused(logsNotPermitted(entry.name));
        return json({ logs: (await this.#readLog(entry, parsed.entity)).join('\n') });
      case 'build-logs':
        this.#revisionOf(entry, parsed.entity);
        return json({ logs: BUILD_LOG });
    }
  }

  #describeQueries(entry: Entry, url: string): object {
    const [served] = this.#parts.objects.describe([entry]);
    const document = served && renderOpenApi(served, url);
    if (document) return document;
    throw new Refused(refusal.noQueryDescription(entry.name, MISSING_OPEN_API));
  }

  async #list(identity: Identity, url: string): Promise<ManagementResponse> {
    const { authorization, objects } = this.#parts;
    if (!authorization.entries.synced) throw new Refused(entriesNotSynced);
    const visible = await mapConcurrent(authorization.entries.all, MAX_CONCURRENT_REVIEWS, async (entry) => {
      const level = await Promise.resolve(authorization.access.of(identity, entry, 'CAN_QUERY')).catch(
        refuseDuringOutage,
      );
      return level === undefined ? [] : [{ entry, level }];
    });
    const levels = new Map(visible.flat().map(({ entry, level }) => [entry.name, level]));
    const described = objects.describe(visible.flat().map(({ entry }) => entry));
    return json({
      endpoints: described.map((e) => renderEndpoint(e, { url, level: levels.get(e.name) ?? 'CAN_VIEW' })),
    });
  }

  #nameOf(parsed: Exclude<ManagementRequest, { kind: 'list' }>): string {
    if ('endpoint' in parsed) return parsed.endpoint;
    return this.#parts.authorization.entries.all.find((e) => endpointId(e.name) === parsed.id)?.name ?? parsed.id;
  }

  /** The revision that serves an entity. */
  #revisionOf(entry: Entry, entity: string): string {
    const serving = entry.entities.find((e) => e.name === entity)?.revision;
    if (serving !== undefined) return serving;
    const names = entry.entities.map((e) => e.name);
    throw new Refused(refusal.unknownEntity(entry.name, entity, names));
  }

  #readLog(entry: Entry, entity: string): Promise<readonly string[]> {
    const revision = this.#revisionOf(entry, entity);
    return this.#parts.objects.readLog(revision);
  }

  async #metrics(entry: Entry): Promise<string> {
    const { objects, traffic } = this.#parts;
    const counts = await traffic.read(entry.name);
    const revisions = new Map(entry.entities.map((e) => [e.name, e.revision]));
    // Includes queries that no model answered and counts of an earlier entity.
    const entities = [...new Set([...revisions.keys(), ...Object.keys(counts)])].map((name) => ({
      entity: name,
      traffic: readOwn(counts, name) ?? NO_TRAFFIC,
      provisioned: objects.provisioned(revisions.get(name) ?? ''),
    }));
    return renderMetrics(entry.name, entities);
  }
}

const BUILD_LOG =
  'Cannot show the build log here: images are built where davit up runs, and it keeps the log in .davit/build-logs/';

function readUrl({ headers }: RequestHead): string {
  const one = (value: string | string[] | undefined) => (typeof value === 'string' ? value : undefined);
  return `${one(headers['x-forwarded-proto']) ?? 'http'}://${one(headers['host']) ?? 'localhost'}`;
}

function json(value: unknown): ManagementResponse {
  return { contentType: 'application/json', body: JSON.stringify(value) };
}
