/** Reads a stream of chunks in pieces of other sizes. */
export interface ByteReader {
  /** Exactly so many bytes. Undefined: the stream ends before. */
  readonly take: (size: number) => Promise<Buffer | undefined>;
  /** At least one byte and at most so many. Undefined: the stream has ended. */
  readonly some: (most: number) => Promise<Uint8Array | undefined>;
}

export function makeByteReader(source: AsyncIterable<Uint8Array>): ByteReader {
  const chunks = source[Symbol.asyncIterator]();
  let left: Uint8Array = new Uint8Array();
  const some: ByteReader['some'] = async (most) => {
    while (left.length === 0) {
      const next = await chunks.next();
      if (next.done === true) return undefined;
      left = next.value;
    }
    const piece = left.subarray(0, Math.min(most, left.length));
    left = left.subarray(piece.length);
    return piece;
  };
  const take: ByteReader['take'] = async (size) => {
    const pieces: Uint8Array[] = [];
    for (let missing = size; missing > 0;) {
      const piece = await some(missing);
      if (piece === undefined) return undefined;
      pieces.push(piece);
      missing -= piece.length;
    }
    return Buffer.concat(pieces);
  };
  return { take, some };
}
