import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint, Entity } from '../../schemas/endpoint/endpoint.ts';
import type { Lock } from '../../schemas/lock/lock.ts';
import { EMPTY_REQUEST, readSampleRequest } from '../../system/sample-request.ts';
import type { Connection, Target } from '../targets/target.ts';

export interface GatewayCheck {
  readonly root: string;
  /** With the validation cases. Undefined: there are none. */
  readonly lock?: Lock | undefined;
  readonly target: Target;
  readonly signal: AbortSignal;
  /** Default: 60. */
  readonly limitSeconds?: number;
}

/** How long to wait for a gateway whose port is not free yet, or for a model server that is restarting. */
const LIMIT_SECONDS = 60;
const PAUSE_MILLISECONDS = 500;
const SHOWN_CHARACTERS = 300;
/** A rate limit or a full queue counts as an answer, because other requests have reached the endpoint. */
const BUSY = ['"REQUEST_LIMIT_EXCEEDED"', '"RESOURCE_EXHAUSTED"'];

/**
 * Sends every entity with traffic its first validation case or its model's example, as a client would. The engine trusts
 * its state, so "no change" does not mean that the endpoint answers.
 */
export async function verifyThroughGateway({ name, entities, routes }: Endpoint, check: GatewayCheck): Promise<void> {
  await check.target.start?.();
  const connection = await check.target.connect();
  const serving = entities.filter((e) => routes.some((r) => r.entity === e.name));
  await Promise.all(serving.map((entity) => verifyEntity(name, entity, connection, check)));
}

async function verifyEntity(
  endpoint: string,
  entity: Entity,
  { host, query }: Connection,
  { root, lock, signal, limitSeconds = LIMIT_SECONDS }: GatewayCheck,
): Promise<void> {
  const sample = await readSampleRequest(root, entity, lock);
  // Without an example, a refusal of the request itself counts as an answer too.
  const expected = sample ? [200] : [200, 400];
  const request = { endpoint, entity: entity.name, ...(sample ?? EMPTY_REQUEST), signal };
  const end = performance.now() + limitSeconds * 1000;
  for (;;) {
    const { status, body } = await query(request).catch((e: unknown) => {
      signal.throwIfAborted();
      return { status: 0, body: describe(e) };
    });
    if (expected.includes(status) || BUSY.some((code) => body.includes(code))) return;
    if (performance.now() > end) {
      const answer = `${status === 0 ? 'nothing' : status} (${body.trim().slice(0, SHOWN_CHARACTERS)})`;
      throw new Error(
        `Cannot reach "${entity.name}" of "${endpoint}" through the gateway: ${host} answers ${answer}, expected 200. npx davit status and npx davit logs ${endpoint} say more`,
      );
    }
    await sleep(PAUSE_MILLISECONDS, undefined, { signal });
  }
}

/** fetch() hides the reason in the cause of its own error. */
function describe(e: unknown): string {
  if (!(e instanceof Error)) return String(e);
  return e.cause instanceof Error ? e.cause.message : e.message;
}
