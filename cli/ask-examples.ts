import type { Endpoint } from '../schemas/endpoint.ts';
import { locateModel, readInputExample } from '../system/locate-model.ts';
import type { Connection } from './target.ts';

/** What an entity answered to its model's own example, through the door that clients use. */
export interface AskedExample {
  readonly entity: string;
  readonly status: number;
  readonly milliseconds: number;
  /** As it came; a model's words. */
  readonly body: string;
}

const LIMIT_SECONDS = 120;

/** Asks every entity that takes part in an endpoint's traffic; those whose model has no example to send are left out. */
export async function askExamples(
  { name, entities, routes }: Endpoint,
  { root, connection }: { readonly root: string; readonly connection: Connection },
): Promise<readonly AskedExample[]> {
  const serving = entities.filter((e) => routes.some((r) => r.entity === e.name));
  const asked = serving.map(async ({ name: entity, model }): Promise<readonly AskedExample[]> => {
    const body = await readInputExample(locateModel(root, model));
    if (body === undefined) return [];
    const signal = AbortSignal.timeout(LIMIT_SECONDS * 1000);
    const started = performance.now();
    const answer = await connection.ask({ endpoint: name, entity, body, contentType: 'application/json', signal });
    const milliseconds = Math.round(performance.now() - started);
    return [{ entity, status: answer.status, milliseconds, body: answer.body }];
  });
  return (await Promise.all(asked)).flat();
}
