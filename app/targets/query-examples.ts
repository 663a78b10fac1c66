import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import { locateModel, readInputExample } from '../../system/locate-model.ts';
import type { Connection } from './target.ts';

/** The answer of an entity to its model's own example, by the path that clients use. */
export interface ExampleAnswer {
  readonly entity: string;
  readonly status: number;
  readonly milliseconds: number;
  /** Unchanged; it may contain the model's own words. */
  readonly body: string;
}

const LIMIT_SECONDS = 120;

/** Queries every entity that has traffic. Leaves out entities whose model has no example. */
export async function queryExamples(
  { name, entities, routes }: Endpoint,
  {
    root,
    connection,
    signal,
  }: { readonly root: string; readonly connection: Connection; readonly signal: AbortSignal },
): Promise<readonly ExampleAnswer[]> {
  const serving = entities.filter((e) => routes.some((r) => r.entity === e.name));
  const answers = serving.map(async ({ name: entity, model }): Promise<readonly ExampleAnswer[]> => {
    const body = await readInputExample(locateModel(root, model));
    if (body === undefined) return [];
    const limited = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_SECONDS * 1000)]);
    const started = performance.now();
    const query = { endpoint: name, entity, body, contentType: 'application/json', signal: limited };
    const answer = await connection.query(query);
    const milliseconds = Math.round(performance.now() - started);
    return [{ entity, status: answer.status, milliseconds, body: answer.body }];
  });
  return (await Promise.all(answers)).flat();
}
