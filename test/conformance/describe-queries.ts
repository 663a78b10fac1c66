import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { comparable, DIFFERENT, fullBody, SECRETS, vectors } from '../runtime/scoring-vectors.ts';
import { FLOWER, FLOWER_CSV, makeInstruction } from './client.ts';
import { ENTITY, FAULTS, IRIS, SPLIT } from './endpoint-files.ts';
import type { SuiteContext } from './suite-context.ts';

interface ClientRequest {
  readonly call: string | null;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>> | null;
}

const FILE = join(import.meta.dirname, '..', 'fixtures', 'conformance', 'databricks-client-requests.json');
const { requests } = JSON.parse(readFileSync(FILE, 'utf8')) as { readonly requests: readonly ClientRequest[] };
/** Recorded requests to MLflow's scoring server, for the model with the columns and answers of the iris example. */
const scored = vectors.filter((v) => v.model === 'a_sklearn' && v.request.path === '/invocations');

/** Headers that depend on the server, the token or the body. */
const REPLACED_HEADERS = new Set(['Host', 'Content-Length', 'Authorization']);

const ANSWER = { predictions: [0] };

/** Tests of Databricks' query API: every form of a body, and recorded requests of its clients. */
export function describeQueries({ client, given }: SuiteContext): void {
  describe('queries', () => {
    it.each(Object.entries(FLOWER))('accepts %s', async (_form, body) => {
      const { status, body: text, headers } = await client.query(IRIS, body);
      expect([status, JSON.parse(text)]).toEqual([200, ANSWER]);
      expect(headers).toMatchObject({ 'content-type': 'application/json', 'served-model-name': ENTITY.iris });
    });

    it.each(['text/csv', 'text/csv; charset=utf-8'])('accepts CSV as %s', async (type) => {
      const { status, body } = await client.query(IRIS, FLOWER_CSV, { headers: { 'content-type': type } });
      expect([status, JSON.parse(body)]).toEqual([200, ANSWER]);
    });

    it.each([
      [{}, [3, 4]],
      [{ params: { factor: 2.5 } }, [7.5, 10]],
      [{ params: { factor: 2.5, unknown: 1 }, client_request_id: 'r', usage_context: { a: 'b' } }, [7.5, 10]],
    ])('accepts parameters next to the data: %j', async (more, expected) => {
      const data = [3, 4].map((number) => ({ do: 'answer', number }));
      const { status, body } = await client.query(FAULTS, { dataframe_records: data, ...more });
      expect([status, JSON.parse(body)]).toEqual([200, { predictions: expected.map((result) => ({ result })) }]);
    });

    it('queries one entity by its own path, even if it has no share of the traffic', async () => {
      for (const entity of [ENTITY.champion, ENTITY.challenger, ENTITY.shadow]) {
        const { status, headers, body } = await client.query(SPLIT, FLOWER.dataframe_split, { entity });
        const predictions = entity === ENTITY.champion ? [0] : ['setosa'];
        expect([status, headers['served-model-name'], JSON.parse(body)]).toEqual([200, entity, { predictions }]);
      }
    });

    it('returns a response of several megabytes', async () => {
      const { status, body } = await client.query(FAULTS, makeInstruction('many', 200_000));
      expect(status).toBe(200);
      expect((JSON.parse(body) as { predictions: unknown[] }).predictions).toHaveLength(200_000);
    });

    it.each(scored.map((v) => [v.name, v] as const))("answers like MLflow's own server: %s", async (name, vector) => {
      const { status, body } = await client.send('POST', `/serving-endpoints/${IRIS}/invocations`, {
        headers: vector.request.headers,
        body: fullBody(vector),
      });
      const different = DIFFERENT[name];
      if (different) {
        expect([status, body]).toEqual([different.status, expect.stringContaining(different.body)]);
        for (const secret of SECRETS) expect(body).not.toContain(secret);
      } else {
        expect(status).toBe(vector.response.status);
        expect(comparable(body)).toEqual(comparable(vector.response.body));
      }
    });

    it.each(requests.map((r, i) => [`${i}: ${r.call ?? ''} ${r.method} ${r.path}`, r] as const))(
      'answers the recorded request %s',
      async (_name, recorded) => {
        const body = replaceColumns(recorded.body);
        const headers = Object.entries(recorded.headers).filter(([name]) => !REPLACED_HEADERS.has(name));
        const answer = await client.send(recorded.method, recorded.path, {
          headers: Object.fromEntries(headers),
          token: recorded.headers['Authorization'] === undefined ? null : given().token,
          ...(body !== undefined && { body }),
        });
        expect([answer.status, answer.body]).toEqual([findExpectedStatus(recorded), expect.any(String)]);
        if (!recorded.path.endsWith('/metrics')) expect(() => void JSON.parse(answer.body)).not.toThrow();
      },
    );
  });
}

/** Replaces the input, because the recorded bodies are for a model whose only column is "a". */
function replaceColumns(body: ClientRequest['body']): string | undefined {
  if (body === null) return undefined;
  const form = Object.keys(body).find((key): key is keyof typeof FLOWER => key in FLOWER);
  return JSON.stringify(form === undefined ? body : FLOWER[form]);
}

function findExpectedStatus({ method, path, body }: ClientRequest): number {
  if (path.endsWith('/invocations')) return body !== null && 'messages' in body ? 400 : 200; // not a chat model
  if (method !== 'GET') return 405;
  if (path.includes('/abc')) return 404; // nothing has this id
  return 200;
}
