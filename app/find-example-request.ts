import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Endpoint } from '../schemas/endpoint/endpoint.ts';

/** MLflow writes it beside a model with an input example: the body of a request. */
const REQUEST_FILE = 'serving_input_example.json';

/** The file of a request that an endpoint answers: the example of a model in the project. Undefined: there is none. */
export function findExampleRequest(root: string, { entities }: Pick<Endpoint, 'entities'>): string | undefined {
  return entities
    .map(({ model }) => resolve(root, model.uri ?? join('models', model.name, model.version), REQUEST_FILE))
    .find((file) => existsSync(file));
}
