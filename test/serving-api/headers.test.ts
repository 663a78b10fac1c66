import { describe, expect, it } from 'vitest';
import { makeResponseHeaders, makeQueryHeaders, readRequestId } from '../../serving-api/headers.ts';

describe('makeQueryHeaders()', () => {
  it('passes what describes the body and drops credentials, connection headers and our own marks', () => {
    const client = {
      authorization: 'Bearer secret',
      cookie: 'a=b',
      connection: 'keep-alive, x-internal',
      'transfer-encoding': 'chunked',
      'x-forwarded-for': '10.0.0.1',
      'served-model-name': 'forged',
      'content-length': '999',
      'content-type': 'application/json',
      traceparent: '00-1-2-01',
      host: 'localhost',
    };
    expect(makeQueryHeaders(client, { requestId: 'r1', length: 2 })).toEqual({
      'content-type': 'application/json',
      traceparent: '00-1-2-01',
      'x-request-id': 'r1',
      'content-length': '2',
    });
  });
});

describe('makeResponseHeaders()', () => {
  it('passes the type of the answer and names who gave it', () => {
    const model = {
      'content-type': 'application/json',
      connection: 'close',
      'x-internal': '1',
      'x-request-id': 'other',
    };
    expect(makeResponseHeaders(model, { requestId: 'r1', entity: 'iris-1' })).toEqual({
      'content-type': 'application/json',
      'x-request-id': 'r1',
      'served-model-name': 'iris-1',
    });
  });
});

describe('readRequestId()', () => {
  it.each([
    ['f3c1-4.2_a:b/c+d=', 'f3c1-4.2_a:b/c+d='],
    ['a'.repeat(64), 'a'.repeat(64)],
    ['a'.repeat(65), undefined],
    ['a b', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('reads %j as %j', (given, read) => {
    expect(readRequestId(given === undefined ? {} : { 'x-request-id': given })).toBe(read);
  });
});
