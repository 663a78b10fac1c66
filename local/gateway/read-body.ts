import type { IncomingMessage } from 'node:http';
import { MAX_BODY_BYTES, bodyTooLarge } from '../../serving-api/refusal.ts';
import { Refused } from '../../serving-api/refusal-error.ts';

/** Limit for the bodies of all waiting and running requests together. Over it, the gateway asks clients to retry. */
const MAX_TOTAL_BYTES = 512 * 1024 * 1024;

/** Reads request bodies, within a limit for each one and a limit for all together. */
export class Bodies {
  #held = 0;

  /** Reads a body. Throws a Refused. The caller must call `release` with the body when it no longer needs it. */
  async read(request: IncomingMessage): Promise<Buffer> {
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > MAX_BODY_BYTES) throw new Refused(bodyTooLarge);
    const parts: Buffer[] = [];
    let length = 0;
    try {
      for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        length += part.length;
        this.#held += part.length;
        if (length > MAX_BODY_BYTES) throw new Refused(bodyTooLarge);
        if (this.#held > MAX_TOTAL_BYTES) throw new Refused(memoryLimitReached);
        parts.push(part);
      }
    } catch (e) {
      this.#held -= length;
      throw e;
    }
    return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  }

  release(body: Buffer): void {
    this.#held -= body.length;
  }
}

/** Maximum bytes to discard of a refused request, because a client that is still sending does not read the response. */
const MAX_DRAINED_BYTES = 128 * 1024 * 1024;

/** Discards the rest of a body. Returns false if the body is or will be too large, or did not arrive completely. */
export function drainBody(request: IncomingMessage): Promise<boolean> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_DRAINED_BYTES) return Promise.resolve(false);
  if (request.complete || request.destroyed) return Promise.resolve(!request.destroyed);
  let length = 0;
  return new Promise((done) => {
    request.on('data', (part: Buffer) => {
      length += part.length;
      if (length > MAX_DRAINED_BYTES) done(false);
    });
    request.on('close', () => done(request.complete));
    request.on('end', () => done(true));
    request.on('error', () => done(false));
    request.resume();
  });
}

const memoryLimitReached = {
  status: 429,
  code: 'RESOURCE_EXHAUSTED',
  message: `Cannot accept another request: the bodies of waiting requests have reached the limit of ${MAX_TOTAL_BYTES} bytes`,
  headers: { 'retry-after': '1' },
};
