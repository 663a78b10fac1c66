import { pipeline, Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { ImageContentError } from './image-content-error.ts';

const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** A layer of zeros is a thousand times smaller than its files. No model is. */
const MAX_RATIO = 20;
const MAX_SMALL_BYTES = 2 ** 30;

/** How many bytes a layer of a size may unpack to. */
export function limitUnpacked(size: number): number {
  return size * MAX_RATIO + MAX_SMALL_BYTES;
}

/** Yields the unpacked bytes of a layer, compressed with gzip, with zstd or not at all. */
export async function* decompress(source: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array> {
  let total = 0;
  try {
    for await (const chunk of await chooseFormat(source)) {
      total += chunk.length;
      if (total > limit)
        throw new ImageContentError(`a layer of it unpacks to more than ${limit} bytes, which is no model`);
      yield chunk;
    }
  } catch (e) {
    if (!/^(?:Z_|ZSTD_|ERR_ZSTD)/.test(String((e as NodeJS.ErrnoException).code))) throw e;
    throw new ImageContentError('a layer of it cannot be decompressed', { cause: e });
  }
}

async function chooseFormat(source: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const { head, whole } = await peek(source);
  const decoder = startsWith(head, GZIP) ? zlib.createGunzip() : startsWith(head, ZSTD) ? openZstd() : undefined;
  if (!decoder) return whole;
  pipeline(Readable.from(whole, { objectMode: false }), decoder, () => undefined); // who reads the decoder gets the error
  return decoder as AsyncIterable<Uint8Array>;
}

/** An import by its name would keep Davit from starting on a Node without this function. */
function openZstd() {
  const open = (zlib as Partial<typeof zlib>).createZstdDecompress;
  if (open) return open();
  const version = process.versions.node;
  throw new ImageContentError(`a layer of it is compressed with zstd, which Node ${version} cannot read: expected Node 22.15 or newer`); // prettier-ignore
}

async function peek(
  source: AsyncIterable<Uint8Array>,
): Promise<{ readonly head: Buffer; readonly whole: AsyncIterable<Uint8Array> }> {
  const chunks = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < ZSTD.length) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  const first = head;
  async function* readWhole() {
    try {
      yield first;
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
    } finally {
      await chunks.return?.();
    }
  }
  return { head, whole: readWhole() };
}

function startsWith(bytes: Buffer, magic: Buffer): boolean {
  return bytes.subarray(0, magic.length).equals(magic);
}
