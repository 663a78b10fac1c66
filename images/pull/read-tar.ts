import { ImageContentError } from './image-content-error.ts';
import { makeByteReader, type ByteReader } from './byte-reader.ts';

/** One entry of a tar archive. */
export interface TarEntry {
  /** As written, without check. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'symbolic-link' | 'hard-link' | 'other';
  /** Of a link. */
  readonly target: string;
  /** Of a file. What is not read of it is skipped. */
  readonly content: AsyncIterable<Uint8Array>;
}

const BLOCK = 512;
const MAX_EXTENDED_HEADER = 2 ** 20;
const KINDS: Readonly<Record<string, TarEntry['kind']>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '5': 'folder',
  '2': 'symbolic-link',
  '1': 'hard-link',
};

/** What extended headers say about the next entry. */
interface Extended {
  path?: string;
  target?: string;
  size?: number;
}

/** Reads a tar archive (ustar, pax and GNU) entry by entry, without keeping any of it in memory. */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const reader = makeByteReader(source);
  let extended: Extended = {};
  for (;;) {
    const header = await reader.take(BLOCK);
    if (header === undefined || header.every((byte) => byte === 0)) break;
    requireChecksum(header);
    const type = String.fromCharCode(header[156] ?? 0);
    const size = extended.size ?? parseNumber(header.subarray(124, 136));
    if ('xgLK'.includes(type)) {
      const text = await readExtendedHeader(reader, size);
      if (type === 'x') extended = { ...extended, ...parsePax(text) };
      if (type === 'L') extended = { ...extended, path: cutAtZero(text) };
      if (type === 'K') extended = { ...extended, target: cutAtZero(text) };
      continue;
    }
    const kind = KINDS[type] ?? 'other';
    const stored = kind === 'file' || kind === 'other' ? size : 0;
    const rest = { size: stored };
    yield {
      path: extended.path ?? readPath(header),
      kind,
      target: extended.target ?? readText(header, 157, 257),
      content: readContent(reader, rest),
    };
    await skip(reader, rest.size + padding(stored));
    extended = {};
  }
  // The rest is padding. It is part of the bytes that the digest of the layer covers.
  while ((await reader.some(Infinity)) !== undefined);
}

async function* readContent(reader: ByteReader, rest: { size: number }): AsyncGenerator<Uint8Array> {
  while (rest.size > 0) {
    const chunk = await reader.some(rest.size);
    if (chunk === undefined) throw new ImageContentError('a layer of it is a tar archive that ends early');
    rest.size -= chunk.length;
    yield chunk;
  }
}

async function skip(reader: ByteReader, size: number): Promise<void> {
  const content = readContent(reader, { size });
  while ((await content.next()).done !== true);
}

async function readExtendedHeader(reader: ByteReader, size: number): Promise<Buffer> {
  if (size > MAX_EXTENDED_HEADER) throw new ImageContentError('a layer of it has a name of more than 1 MiB');
  const text = await reader.take(size);
  if (text === undefined) throw new ImageContentError('a layer of it is a tar archive that ends early');
  await skip(reader, padding(size));
  return text;
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** Records `LENGTH KEY=VALUE\n`, whose length is in bytes. */
function parsePax(text: Buffer): Extended {
  const found: Extended = {};
  for (let at = 0; at < text.length;) {
    const space = text.indexOf(' ', at);
    const length = Number(text.toString('latin1', at, space));
    if (space < 0 || !Number.isInteger(length) || length <= 0) break;
    const record = text.toString('utf8', space + 1, at + length - 1);
    const equals = record.indexOf('=');
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (key === 'path') found.path = value;
    if (key === 'linkpath') found.target = value;
    if (key === 'size') found.size = requireSize(Number(value));
    if (key.startsWith('GNU.sparse.')) throw new ImageContentError('a layer of it has a sparse file, which Davit does not read'); // prettier-ignore
    at += length;
  }
  return found;
}

function readPath(header: Buffer): string {
  const isUstar = header.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isUstar ? readText(header, 345, 500) : '';
  const name = readText(header, 0, 100);
  return prefix === '' ? name : `${prefix}/${name}`;
}

function readText(header: Buffer, from: number, to: number): string {
  return cutAtZero(header.subarray(from, to));
}

function cutAtZero(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

/** Octal digits, or, for large files of GNU tar, bytes with the highest bit set. */
function parseNumber(field: Buffer): number {
  if (((field[0] ?? 0) & 0x80) === 0) return requireSize(parseInt(cutAtZero(field).trim() || '0', 8));
  return requireSize(Number(BigInt(`0x${field.subarray(1).toString('hex')}`)));
}

function requireSize(size: number): number {
  if (!Number.isSafeInteger(size) || size < 0) throw new ImageContentError('a layer of it has a file without a valid size'); // prettier-ignore
  return size;
}

function requireChecksum(header: Buffer): void {
  const sum = header.reduce((all, byte, i) => all + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  if (parseInt(readText(header, 148, 156).trim(), 8) !== sum)
    throw new ImageContentError('a layer of it is not a tar archive');
}
