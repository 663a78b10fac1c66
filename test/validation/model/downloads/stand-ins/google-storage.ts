// Google Cloud Storage's JSON API, as far as a download needs it, by its published reference:
// https://cloud.google.com/storage/docs/json_api/v1 and https://cloud.google.com/storage/docs/xml-api/reference-headers
import type { ServerResponse } from 'node:http';
import { type Handler, listLevel, type Objects, sendJson, sendObject, type StoreFault } from './objects.ts';

export interface GoogleBucket {
  readonly name: string;
  readonly objects: Objects;
  /** The header `Authorization` that may read it. Undefined: everybody may. */
  readonly authorization: string | undefined;
  fault: StoreFault;
}

const OBJECTS = /^\/(download\/)?storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/;
const GENERATION = '1764496800000000';

export function serveBucket(bucket: GoogleBucket): Handler {
  return (request, response) => {
    const url = new URL(request.url ?? '', 'https://storage.googleapis.com');
    const [, download, name = '', object] = OBJECTS.exec(url.pathname) ?? [];
    if (request.method !== 'GET') sendError(response, 405, 'methodNotAllowed');
    else if (bucket.authorization !== undefined && request.headers.authorization !== bucket.authorization)
      sendError(response, request.headers.authorization === undefined ? 401 : 403, 'forbidden');
    else if (decodeURIComponent(name) !== bucket.name) sendError(response, 404, 'notFound');
    else if (object === undefined) sendList(response, bucket, url.searchParams);
    else if (download === undefined || url.searchParams.get('alt') !== 'media') sendError(response, 400, 'invalid');
    else sendContent(response, bucket, { object: decodeURIComponent(object), range: request.headers.range });
  };
}

function sendList(response: ServerResponse, { name: bucket, objects }: GoogleBucket, query: URLSearchParams): void {
  if (query.get('delimiter') !== '/') {
    sendError(response, 400, 'invalid');
    return;
  }
  const { files, folders, next } = listLevel(objects, query.get('prefix') ?? '', query.get('pageToken') ?? '');
  const items = files.map((name) => ({
    ...{ kind: 'storage#object', bucket, name, generation: GENERATION, size: String(objects.get(name)?.length) },
  }));
  sendJson(response, 200, {
    kind: 'storage#objects',
    ...(items.length > 0 && { items }), // an empty list is left out
    ...(folders.length > 0 && { prefixes: folders }),
    ...(next !== undefined && { nextPageToken: next }),
  });
}

function sendContent(
  response: ServerResponse,
  { objects, fault }: GoogleBucket,
  { object, range }: { readonly object: string; readonly range: string | undefined },
): void {
  const content = objects.get(object);
  if (content === undefined) sendError(response, 404, 'notFound');
  else if (fault.denies === object) sendError(response, 403, 'forbidden');
  else if (range !== undefined && content.length === 0) sendError(response, 416, 'requestedRangeNotSatisfiable');
  else {
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32BE(computeCrc32c(content));
    const headers = {
      ...{ 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes', etag: `"${GENERATION}"` },
      ...{ 'x-goog-generation': GENERATION, 'x-goog-hash': `crc32c=${checksum.toString('base64')}` },
      ...{ 'x-goog-stored-content-length': String(content.length), 'x-goog-stored-content-encoding': 'identity' },
    };
    sendObject(response, { name: object, content }, { range, headers, fault });
  }
}

function sendError(response: ServerResponse, code: number, reason: string): void {
  const message = 'internal words of the store';
  sendJson(response, code, { error: { code, message, errors: [{ domain: 'global', reason, message }] } });
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** CRC-32C (RFC 3720), which zlib does not have. */
function computeCrc32c(content: Buffer): number {
  let value = 0xffffffff;
  for (const byte of content) value = (TABLE[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
