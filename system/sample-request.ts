import type { Entity } from '../schemas/endpoint/endpoint.ts';
import type { ContentType } from '../schemas/endpoint/validation-file.ts';
import type { Lock } from '../schemas/lock/lock.ts';
import { readOwn } from '../schemas/values/read-own.ts';
import { findModelFolder, readInputExample } from './locate-model.ts';

/** A request that an entity is expected to answer. */
export interface SampleRequest {
  readonly body: string;
  readonly contentType: string;
}

const MEDIA_TYPES: Readonly<Record<ContentType, string>> = { json: 'application/json', csv: 'text/csv' };

/** A model server refuses it without asking the model, so its answer shows that the server is reachable. */
export const EMPTY_REQUEST: SampleRequest = { body: '{}', contentType: MEDIA_TYPES.json };

/**
 * Reads a request for an entity: its first validation case, else its model's example. Returns undefined for a model that
 * has neither; only the model server makes an input from a signature.
 */
export async function readSampleRequest(
  root: string,
  { name, model }: Pick<Entity, 'name' | 'model'>,
  lock: Lock | undefined,
): Promise<SampleRequest | undefined> {
  const [first] = (lock && readOwn(lock.entities, name)?.validation) ?? [];
  if (first) return { body: first.input, contentType: MEDIA_TYPES[first.content_type] };
  const digest = (lock && readOwn(lock.entities, name)?.model.digest) ?? '';
  const body = await readInputExample(findModelFolder(root, { ...model, digest }));
  return body === undefined ? undefined : { body, contentType: MEDIA_TYPES.json };
}
