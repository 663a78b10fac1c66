import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { log, sentenceOf } from './log.ts';
import { bytesOf, numberOf, readFields } from './protobuf.ts';

/** One answered query, as Envoy tells it. */
export interface Answered {
  readonly endpoint: string;
  /** As the model server has named itself; '': somebody else has answered. */
  readonly entity: string;
  readonly status: number;
  readonly milliseconds: number;
}

/** Envoy's gRPC service for access logs. */
const PATH = '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs';
const HEAD_BYTES = 5;
/** Envoy sends some kilobytes at once. */
const MOST_BYTES = 4 * 1024 * 1024;
/** Headers that Envoy is told to add, and that are read here. */
export const LOGGED = { endpoint: 'x-serving-endpoint', entity: 'served-model-name' } as const;

/** Makes the server that hears from Envoy how queries were answered; it does not listen yet. */
export function makeAccessLogServer(hear: (answered: Answered) => void): Http2Server {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  SESSIONS.set(server, sessions);
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session)).on('error', () => undefined);
  });
  return server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => undefined);
    if (headers[':path'] !== PATH) {
      stream.respond({ ':status': 404 }, { endStream: true });
      return;
    }
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    let rest: Buffer = Buffer.alloc(0);
    stream.on('data', (part: Buffer) => {
      try {
        rest = hearMessages(Buffer.concat([rest, part]), hear);
      } catch (e) {
        log('warning', "cannot read Envoy's access log", { why: sentenceOf(e) });
        stream.close();
      }
    });
    stream.on('end', () => stream.end());
  });
}

/** Ends the connections, which Envoy keeps for ever. */
export function endSessions(server: object): void {
  for (const session of SESSIONS.get(server) ?? []) session.destroy();
}

const SESSIONS = new WeakMap<object, ReadonlySet<ServerHttp2Session>>();

/** Hears every whole message and gives back what is left. */
function hearMessages(bytes: Buffer, hear: (answered: Answered) => void): Buffer {
  let rest = bytes;
  while (rest.length >= HEAD_BYTES) {
    const length = rest.readUInt32BE(1);
    if (length > MOST_BYTES) throw new RangeError(`its message has ${length} bytes, expected ${MOST_BYTES} or less`);
    if (rest.length < HEAD_BYTES + length) break;
    parseEntries(rest.subarray(HEAD_BYTES, HEAD_BYTES + length)).forEach(hear);
    rest = rest.subarray(HEAD_BYTES + length);
  }
  return rest;
}

/** StreamAccessLogsMessage → the queries in it. Field numbers are those of Envoy's data/accesslog/v3. */
export function parseEntries(message: Buffer): readonly Answered[] {
  const entries = bytesOf(message, 2);
  if (!entries) return [];
  return [...readFields(entries)].flatMap(({ value }) => (typeof value === 'number' ? [] : parseEntry(value)));
}

function parseEntry(entry: Buffer): readonly Answered[] {
  const [common, request, response] = [bytesOf(entry, 1), bytesOf(entry, 3), bytesOf(entry, 4)];
  const endpoint = headerOf(request, 13, LOGGED.endpoint);
  if (endpoint === undefined) return []; // nobody was let through
  const entity = headerOf(response, 4, LOGGED.entity) ?? '';
  const status = numberOf(bytesOf(response, 1), 1);
  const duration = bytesOf(common, 12); // until the last byte was sent to the client
  const milliseconds = numberOf(duration, 1) * 1000 + numberOf(duration, 2) / 1e6;
  return [{ endpoint, entity, status: status === 0 ? 499 : status, milliseconds }];
}

/** A map's entry under a name. */
function headerOf(properties: Buffer | undefined, number: number, name: string): string | undefined {
  for (const field of properties ? readFields(properties) : []) {
    if (field.number !== number || typeof field.value === 'number') continue;
    if (bytesOf(field.value, 1)?.toString() === name) return bytesOf(field.value, 2)?.toString() ?? '';
  }
  return undefined;
}
