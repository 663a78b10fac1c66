import { createHash, type Hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RegistryError } from '../send-request.ts';
import type { Repository } from './open-repository.ts';
import type { Descriptor } from './read-manifest.ts';

export interface BlobOptions {
  /** What is downloaded already: its number of bytes, and their hash so far. */
  readonly begin?: { readonly size: number; readonly hash: Hash };
  /** Called with the number of bytes that have arrived since the last call. */
  readonly onBytes: (count: number) => void;
  readonly signal: AbortSignal | undefined;
}

/** Times in a row that a connection may break before it brings a byte. */
const MAX_EMPTY_ANSWERS = 3;
const RETRY_DELAY_MILLISECONDS = 300;

/**
 * Yields the bytes of a blob in order. Where the connection breaks, another request asks for the rest. Throws a
 * RegistryError at the end if the bytes do not have the digest.
 */
export async function* readBlob(
  repository: Repository,
  blob: Descriptor,
  { begin = { size: 0, hash: createHash('sha256') }, onBytes, signal }: BlobOptions,
): AsyncGenerator<Uint8Array> {
  const { registry } = repository;
  const { hash } = begin;
  let size = begin.size;
  let empty = 0;
  while (size < blob.size) {
    const before = size;
    for await (const chunk of readRest(repository, blob, { from: size, signal })) {
      size += chunk.length;
      if (size > blob.size) throw new RegistryError(registry, 'it sent more bytes than the manifest lists', '');
      hash.update(chunk);
      onBytes(chunk.length);
      yield chunk;
    }
    empty = size === before ? empty + 1 : 0;
    if (empty === MAX_EMPTY_ANSWERS)
      throw new RegistryError(registry, `its answer ended early in ${empty} attempts`, 'Run the same command again');
    if (size < blob.size) await sleep(RETRY_DELAY_MILLISECONDS * empty, undefined, { ...(signal && { signal }) });
  }
  if (`sha256:${hash.digest('hex')}` !== blob.digest)
    throw new RegistryError(registry, 'it sent other bytes than the digest of the layer says', '');
}

/** Ends without an error where the connection breaks. */
async function* readRest(
  repository: Repository,
  { digest }: Descriptor,
  { from, signal }: { readonly from: number; readonly signal: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  const answer = await repository.get(`blobs/${digest}`, from > 0 ? { range: `bytes=${from}-` } : {});
  // A registry may ignore the range, and send the whole.
  let skipped = answer.status === 206 ? 0 : from;
  if (answer.status === 206 && !answer.headers.get('content-range')?.startsWith(`bytes ${from}-`))
    throw new RegistryError(repository.registry, 'it sent another part of a layer than the requested one', '');
  const reader = (answer.body as ReadableStream<Uint8Array> | null)?.getReader();
  try {
    for (;;) {
      const next = await reader?.read().catch(() => undefined);
      signal?.throwIfAborted();
      if (next?.value === undefined) return;
      const chunk = next.value.subarray(Math.min(skipped, next.value.length));
      skipped -= next.value.length - chunk.length;
      if (chunk.length > 0) yield chunk;
    }
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
}
