import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import type { Lock } from '../../schemas/lock/lock.ts';
import { readSampleRequest } from '../../system/sample-request.ts';
import type { Connection } from './target.ts';

/** The answer of an entity to its first validation case or its model's own example, by the path that clients use. */
export interface ExampleAnswer {
  readonly entity: string;
  readonly status: number;
  readonly milliseconds: number;
  /** Unchanged; it may contain the model's own words. */
  readonly body: string;
}

const LIMIT_SECONDS = 120;

/** Queries every entity that has traffic. Leaves out entities that have neither. */
export async function queryExamples(
  { name, entities, routes }: Endpoint,
  {
    root,
    lock,
    connection,
    signal,
  }: {
    readonly root: string;
    /** With the validation cases. Undefined: there are none. */
    readonly lock?: Lock | undefined;
    readonly connection: Connection;
    readonly signal: AbortSignal;
  },
): Promise<readonly ExampleAnswer[]> {
  const serving = entities.filter((e) => routes.some((r) => r.entity === e.name));
  const answers = serving.map(async (entity): Promise<readonly ExampleAnswer[]> => {
    const sample = await readSampleRequest(root, entity, lock);
    if (!sample) return [];
    const limited = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_SECONDS * 1000)]);
    const started = performance.now();
    const query = { endpoint: name, entity: entity.name, ...sample, signal: limited };
    const answer = await connection.query(query);
    const milliseconds = Math.round(performance.now() - started);
    return [{ entity: entity.name, status: answer.status, milliseconds, body: answer.body }];
  });
  return (await Promise.all(answers)).flat();
}
