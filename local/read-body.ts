import type { IncomingMessage } from 'node:http';
import { MAX_BODY_BYTES, tooLarge } from '../gateway/refusal.ts';
import { Refused } from '../gateway/refused.ts';

/** All bodies that wait or are answered now, together; beyond it new ones are told to come again. */
const MAX_TOGETHER_BYTES = 512 * 1024 * 1024;

/** Reads whole request bodies, each and all together within limits. */
export class Bodies {
  #held = 0;

  /** Reads a body; throws a Refused. Call `release` with its length when it is no longer needed. */
  async read(request: IncomingMessage): Promise<Buffer> {
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > MAX_BODY_BYTES) throw new Refused(tooLarge);
    const parts: Buffer[] = [];
    let length = 0;
    try {
      for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        length += part.length;
        this.#held += part.length;
        if (length > MAX_BODY_BYTES) throw new Refused(tooLarge);
        if (this.#held > MAX_TOGETHER_BYTES) throw new Refused(crowded);
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

/** So much of a refused request's body is taken and thrown away: a client that still sends would not read the answer. */
const MOST_DRAINED_BYTES = 128 * 1024 * 1024;

/** Takes the rest of a body; false: there was too much of it, or there will be. */
export function drainBody(request: IncomingMessage): Promise<boolean> {
  if (Number(request.headers['content-length'] ?? 0) > MOST_DRAINED_BYTES) return Promise.resolve(false);
  if (request.complete || request.destroyed) return Promise.resolve(!request.destroyed);
  let length = 0;
  return new Promise((done) => {
    request.on('data', (part: Buffer) => {
      length += part.length;
      if (length > MOST_DRAINED_BYTES) done(false);
    });
    request.on('close', () => done(request.complete));
    request.on('end', () => done(true));
    request.on('error', () => done(false));
    request.resume();
  });
}

const crowded = {
  status: 429,
  code: 'RESOURCE_EXHAUSTED',
  message: `Cannot take another request: the bodies of those that wait hold ${MAX_TOGETHER_BYTES} bytes, which is the limit`,
  headers: { 'retry-after': '1' },
};
