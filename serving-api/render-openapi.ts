import type { Schema } from './column-schema.ts';
import { makeOpenQuerySchema, makeQuerySchema, type QuerySchema } from './query-schema.ts';
import type { ServedEndpoint, ServedEntity } from './served-endpoint.ts';

interface EntityDescription {
  readonly entity: ServedEntity;
  /** Undefined: its inputs are not known. */
  readonly query: QuerySchema | undefined;
}

/**
 * Makes the OpenAPI 3.1 document of an endpoint's queries, in Databricks' form: one path for each served entity, then
 * the path that follows the route. Inputs that are not known are described as every form of a request. Returns undefined if the
 * endpoint serves nothing yet.
 */
export function renderOpenApi(endpoint: ServedEndpoint, url: string): object | undefined {
  const described = endpoint.entities.map((entity) => ({
    entity,
    query: entity.signature && makeQuerySchema(entity.signature),
  }));
  if (described.length === 0) return undefined;
  const { name, description, configVersion } = endpoint;
  const routed = described.filter(({ entity }) => entity.trafficPercentage > 0);
  return {
    openapi: '3.1.0',
    info: { title: name, version: String(configVersion), ...(description !== '' && { description }) },
    servers: [{ url: `${url}/serving-endpoints/${encodeURIComponent(name)}` }],
    security: [{ token: [] }],
    paths: {
      ...Object.fromEntries(described.map((d) => [makeEntityPath(d.entity.name), { post: renderOperation(d) }])),
      ...(routed.length > 0 && { '/invocations': { post: renderTraffic(routed) } }),
    },
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  };
}

/** Why an endpoint has no OpenAPI document. */
export const MISSING_OPEN_API = 'it serves nothing yet, expected it to be ready';

function explainMissingSchema({ signature }: ServedEntity): string {
  if (signature) return 'has a model without an input signature, expected one that was logged with its signature';
  return 'was deployed without its signature, by a version of Davit that did not keep it or because it is too large, expected it to be deployed again with npx davit up';
}

function makeEntityPath(entity: string): string {
  return `/served-models/${encodeURIComponent(entity)}/invocations`;
}

function renderOperation({ entity, query }: EntityDescription): object {
  const { name, modelName, modelVersion } = entity;
  return {
    operationId: `query_${name}`,
    summary: `Query ${name}: ${modelName} version ${modelVersion}`,
    ...(!query && { description: `Its inputs are not known: "${name}" ${explainMissingSchema(entity)}` }),
    ...renderBodies([query ?? makeOpenQuerySchema()]),
  };
}

/** Describes the path that follows the route. Its schema allows the inputs of every entity with traffic. */
function renderTraffic(described: readonly EntityDescription[]): object {
  const shares = described.map(({ entity: { name, trafficPercentage } }) => `${name} ${trafficPercentage} %`);
  return {
    operationId: 'query',
    summary: `Query an entity chosen by the traffic split: ${shares.join(', ')}`,
    ...renderBodies(described.map(({ query }) => query ?? makeOpenQuerySchema())),
  };
}

function renderBodies(queries: readonly QuerySchema[]): object {
  const request = { 'application/json': { schema: anyOf(queries.map((q) => q.request)) } };
  const csv = { 'text/csv': { schema: { type: 'string', description: 'a table with a header line' } } };
  const answer = { 'application/json': { schema: anyOf(queries.map((q) => q.answer)) } };
  return {
    requestBody: { required: true, content: { ...request, ...(queries.every((q) => q.csv) && csv) } },
    responses: {
      '200': { description: 'Successful operation', headers: SERVED_BY, content: answer },
      default: { description: 'Error', content: { 'application/json': { schema: REFUSAL } } },
    },
  };
}

/** Combines schemas and removes duplicates. */
function anyOf(schemas: readonly Schema[]): Schema {
  const different = [...new Map(schemas.map((s) => [JSON.stringify(s), s])).values()];
  return different.length === 1 && different[0] ? different[0] : { anyOf: different };
}

const TEXT = { type: 'string' };
const SERVED_BY = { 'served-model-name': { description: 'the served entity that answered', schema: TEXT } };
const REFUSAL = {
  type: 'object',
  required: ['error_code', 'message'],
  properties: { error_code: TEXT, message: TEXT },
};
