import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Answer, Query, Target } from '../../../app/targets/target.ts';
import { verifyThroughGateway } from '../../../app/deploy/verify-gateway.ts';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';

const { endpoint } = parseEndpoint(
  'name: iris\nconfig:\n  served_entities:\n    - {name: iris, entity_name: iris, entity_version: "1"}\n',
  'endpoints/iris.yaml',
);

/** Asks a gateway that answers one after the other of these, and the last one again and again. */
async function verify(answers: readonly (Error | { status: number; body?: string })[], example?: string) {
  const root = await mkdtemp(join(tmpdir(), 'davit-verify-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const model = join(root, 'models', 'iris', '1');
  await mkdir(model, { recursive: true });
  if (example !== undefined) await writeFile(join(model, 'serving_input_example.json'), example);
  const sent: Query[] = [];
  const query = (request: Query): Promise<Answer> => {
    const answer = answers[Math.min(sent.push(request), answers.length) - 1]!;
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve({ body: '', servedModelName: 'iris', ...answer });
  };
  // Nothing else: openAccess() would make the first token, which is shown once, and show it to nobody.
  const target: Partial<Target> = { connect: () => Promise.resolve({ host: 'http://gateway', query }) };
  const check = { root, target: target as Target, signal: new AbortController().signal, limitSeconds: 0 };
  await verifyThroughGateway(endpoint!, check);
  return sent;
}

test('asks each entity with the example of its model', async () => {
  expect(await verify([{ status: 200 }], '{"inputs": [1]}')).toMatchObject([
    { endpoint: 'iris', entity: 'iris', body: '{"inputs": [1]}' },
  ]);
});

test('takes a refusal of the request for an answer only where there is no example', async () => {
  expect(await verify([{ status: 400 }])).toHaveLength(1);
  await expect(verify([{ status: 400, body: 'no such column' }], '{}')).rejects.toThrow(
    'Cannot reach "iris" of "iris" through the gateway: http://gateway answers 400 (no such column), expected 200',
  );
});

test('takes the rate limit of the endpoint for an answer', async () => {
  expect(await verify([{ status: 429, body: '{"error_code":"REQUEST_LIMIT_EXCEEDED"}' }], '{}')).toHaveLength(1);
});

test('fails when nothing answers, and says why', async () => {
  const refused = new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:1') });
  await expect(verify([refused], '{}')).rejects.toThrow('answers nothing (connect ECONNREFUSED 127.0.0.1:1)');
  await expect(verify([{ status: 503, body: 'the model server ended' }], '{}')).rejects.toThrow('answers 503');
});
