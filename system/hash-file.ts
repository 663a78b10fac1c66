import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

const READ_BYTES = 1 << 20;

/** SHA-256 of a file's content, in hex. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  const { size } = await stat(file);
  // A stream makes a buffer of the most that it may read at once. Many small files would cost gigabytes of buffers.
  if (size <= READ_BYTES) hash.update(await readFile(file));
  else await pipeline(createReadStream(file, { highWaterMark: READ_BYTES }), hash);
  return hash.digest('hex');
}
