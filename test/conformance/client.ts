import type { Agent } from 'node:http';
import { expect } from 'vitest';
import { type HttpResponse, sendHttpRequest } from '../prober/send-http-request.ts';
import type { ServingAccess } from './conformance-target.ts';

export interface ClientOptions {
  readonly entity?: string;
  /** Default: a token that permits queries. `null` sends no token. */
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: Agent;
}

/** Sends requests to the deployed endpoints. Fails if a response contains internal details. */
export interface Client {
  readonly query: (endpoint: string, body: unknown, sent?: ClientOptions) => Promise<HttpResponse>;
  readonly get: (path: string, sent?: ClientOptions) => Promise<HttpResponse>;
  /** `target` is sent unchanged on the first line of the request. */
  readonly send: (
    method: string,
    target: string,
    sent?: ClientOptions & { readonly body?: string | Buffer },
  ) => Promise<HttpResponse>;
}

const LIMIT_SECONDS = 120;
/** Parts of stack traces, of file names of Python, Node or Go, and of addresses inside the cluster. */
const INTERNAL_DETAILS =
  /Traceback|site-packages|File "\/|stack_trace|node:internal|\.ts:\d+|\.go:\d+|goroutine |svc\.cluster\.local/;

export function makeClient(given: () => ServingAccess): Client {
  const client: Client = {
    query: (endpoint, body, { entity, headers, ...sent } = {}) => {
      const one = entity === undefined ? '' : `/served-models/${encodeURIComponent(entity)}`;
      const target = `/serving-endpoints/${encodeURIComponent(endpoint)}${one}/invocations`;
      const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
      return client.send('POST', target, {
        ...sent,
        headers: { 'content-type': 'application/json', ...headers },
        body: text,
      });
    },
    get: (path, sent) => client.send('GET', path, sent),
    send: async (method, target, { token = given().token, headers = {}, body, agent } = {}) => {
      const heard = await sendHttpRequest(`${given().host}${target}`, {
        method,
        headers: { ...(token !== null && { authorization: `Bearer ${token}` }), ...headers },
        ...(body !== undefined && { body }),
        ...(agent && { agent }),
        limitSeconds: LIMIT_SECONDS,
      });
      if (!target.endsWith('logs')) expect(heard.body).not.toMatch(INTERNAL_DETAILS);
      return heard;
    },
  };
  return client;
}

/** Returns status and error code of an error response. Fails if its body is not in Databricks' form. */
export function parseRefusal({ status, body, headers }: HttpResponse): readonly [number, string] {
  const { error_code: code, message, ...more } = JSON.parse(body) as Readonly<Record<string, string>>;
  expect(headers['content-type']).toMatch(/^application\/json/);
  expect({ code, message, more }).toEqual({
    code: expect.stringMatching(/^[A-Z_]+$/) as string,
    message: expect.stringMatching(/.{10}/) as string,
    more: {},
  });
  return [status, code ?? ''];
}

const COLUMNS = ['sepal length (cm)', 'sepal width (cm)', 'petal length (cm)', 'petal width (cm)'] as const;
const SETOSA = [5.1, 3.5, 1.4, 0.2] as const;
const record = Object.fromEntries(COLUMNS.map((c, i) => [c, SETOSA[i]]));

/** The same flower in each form that a request body may have. */
export const FLOWER = {
  dataframe_split: { dataframe_split: { columns: COLUMNS, data: [SETOSA] } },
  dataframe_records: { dataframe_records: [record] },
  instances: { instances: [record] },
  inputs: { inputs: Object.fromEntries(COLUMNS.map((c, i) => [c, [SETOSA[i]]])) },
} as const;
export const FLOWER_CSV = `${COLUMNS.join(',')}\n${SETOSA.join(',')}\n`;

/** The request body that makes the model of FAULTS do something. */
export function makeInstruction(what: string, number = 1): object {
  return { dataframe_split: { columns: ['do', 'number'], data: [[what, number]] } };
}
