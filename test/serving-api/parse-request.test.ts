import { describe, expect, it } from 'vitest';
import { type ParsedRequest, parseRequest } from '../../serving-api/parse-request.ts';

/** What databricks-sdk 0.156.0 and mlflow 3.17.2 send, call by call; the last rows are nobody's. */
const REQUESTS: readonly (readonly [string, string, ParsedRequest])[] = [
  ['GET', '/.well-known/databricks-config', { kind: 'discovery' }],
  ['POST', '/api/2.0/serving-endpoints', { kind: 'write', endpoint: undefined }],
  ['POST', '/api/2.0/serving-endpoints/', { kind: 'write', endpoint: undefined }],
  ['GET', '/api/2.0/serving-endpoints', { kind: 'list' }],
  ['GET', '/api/2.0/serving-endpoints/', { kind: 'list' }],
  ['GET', '/api/2.0/serving-endpoints/iris', { kind: 'get', endpoint: 'iris' }],
  ['PUT', '/api/2.0/serving-endpoints/iris/config', { kind: 'write', endpoint: 'iris' }],
  ['PATCH', '/api/2.0/serving-endpoints/iris/tags', { kind: 'write', endpoint: 'iris' }],
  ['PUT', '/api/2.0/serving-endpoints/iris/rate-limits', { kind: 'write', endpoint: 'iris' }],
  ['PUT', '/api/2.0/serving-endpoints/iris/ai-gateway', { kind: 'write', endpoint: 'iris' }],
  ['DELETE', '/api/2.0/serving-endpoints/iris', { kind: 'write', endpoint: 'iris' }],
  ['POST', '/serving-endpoints/iris/invocations', { kind: 'query', endpoint: 'iris', entity: undefined }],
  ['GET', '/api/2.0/serving-endpoints/iris/openapi', { kind: 'openapi', endpoint: 'iris' }],
  [
    'GET',
    '/api/2.0/serving-endpoints/iris/served-models/iris-1/logs?config_version=1',
    { kind: 'logs', endpoint: 'iris', entity: 'iris-1' },
  ],
  [
    'GET',
    '/api/2.0/serving-endpoints/iris/served-models/iris-1/build-logs',
    { kind: 'build-logs', endpoint: 'iris', entity: 'iris-1' },
  ],
  ['GET', '/api/2.0/serving-endpoints/iris/metrics', { kind: 'metrics', endpoint: 'iris' }],
  ['GET', '/api/2.0/permissions/serving-endpoints/abc', { kind: 'permissions', id: 'abc' }],
  ['GET', '/api/2.0/permissions/serving-endpoints/abc/permissionLevels', { kind: 'permission-levels', id: 'abc' }],
  ['PUT', '/api/2.0/permissions/serving-endpoints/abc', { kind: 'write', endpoint: undefined }],
  ['GET', '/api/2.0/permissions/serving-endpoints/abc/other', { kind: 'unknown' }],
  [
    'POST',
    '/serving-endpoints/iris/served-models/iris-1/invocations?x=1',
    { kind: 'query', endpoint: 'iris', entity: 'iris-1' },
  ],
  ['GET', '/serving-endpoints/iris/invocations', { kind: 'wrong-method', allow: 'POST' }],
  ['POST', '/serving-endpoints/a%2Fb/invocations', { kind: 'query', endpoint: 'a/b', entity: undefined }],
  ['POST', '/serving-endpoints/%ZZ/invocations', { kind: 'query', endpoint: '%ZZ', entity: undefined }],
  ['POST', '/serving-endpoints//invocations', { kind: 'unknown' }],
  ['GET', '/api/2.0/serving-endpointsx', { kind: 'unknown' }],
  ['GET', '/', { kind: 'unknown' }],
  ['', '', { kind: 'unknown' }],
];

describe('parseRequest()', () => {
  it.each(REQUESTS)('understands %s %s', (method, target, asked) => {
    expect(parseRequest(method, target)).toEqual(asked);
  });
});
