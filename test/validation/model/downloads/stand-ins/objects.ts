import type { IncomingMessage, ServerResponse } from 'node:http';

/** Objects of a store by their names. */
export type Objects = ReadonlyMap<string, Buffer>;
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** What a store does wrong from now on. */
export interface StoreFault {
  /** The next answer with an object's content ends after so many bytes, though its headers say more. Then this is over. */
  cutsAfter?: number | undefined;
  /** Of this object it sends other bytes than it has a checksum of. */
  readonly corrupts?: string;
  /** This object is not for the account. */
  readonly denies?: string;
}

/** One page of what is directly below a prefix, in order of the names, and where the next page begins. */
export interface Level {
  readonly files: readonly string[];
  /** With the delimiter at their ends. */
  readonly folders: readonly string[];
  readonly next: string | undefined;
}

/** So many names in an answer, so that every list has several pages. */
const PAGE = 2;

export function listLevel(objects: Objects, prefix: string, from = ''): Level {
  const below = [...objects.keys()].filter((name) => name.startsWith(prefix));
  const cut = (name: string) => {
    const end = name.indexOf('/', prefix.length);
    return end < 0 ? name : name.slice(0, end + 1);
  };
  // An object whose name is the prefix itself is listed as an object.
  const folders = new Set(below.filter((name) => name.indexOf('/', prefix.length) >= 0).map(cut));
  const files = below.filter((name) => name.indexOf('/', prefix.length) < 0);
  const all = [...files, ...folders].sort().filter((name) => name >= from);
  const page = all.slice(0, PAGE);
  return {
    files: page.filter((name) => !folders.has(name)),
    folders: page.filter((name) => folders.has(name)),
    next: all[PAGE],
  };
}

/** A range of bytes, both ends included, of `bytes=0-99`. Undefined: there is none in the request. */
export function parseRange(text: string | undefined, size: number): { from: number; to: number } | undefined {
  const [, from, to = ''] = /^bytes=(\d+)-(\d*)$/.exec(text ?? '') ?? [];
  if (from === undefined) return undefined;
  return { from: Number(from), to: Math.min(to === '' ? Infinity : Number(to), size - 1) };
}

/** Sends an object or a part of it, as RFC 9110 says, or what the fault makes of that. */
export function sendObject(
  response: ServerResponse,
  { name, content }: { readonly name: string; readonly content: Buffer },
  { range, headers, fault }: { range: string | undefined; headers: Record<string, string>; fault: StoreFault },
): void {
  const wanted = parseRange(range, content.length);
  const bytes = fault.corrupts === name ? Buffer.from(content).fill('x') : content;
  const part = wanted ? bytes.subarray(wanted.from, wanted.to + 1) : bytes;
  const partial = wanted && { 'content-range': `bytes ${wanted.from}-${wanted.to}/${content.length}` };
  response.writeHead(wanted ? 206 : 200, { ...headers, 'content-length': part.length, ...partial });
  const { cutsAfter } = fault;
  if (cutsAfter === undefined || part.length <= cutsAfter) {
    response.end(part);
    return;
  }
  fault.cutsAfter = undefined;
  response.write(part.subarray(0, cutsAfter), () => setTimeout(() => response.destroy(), 20));
}

export async function readBody(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
