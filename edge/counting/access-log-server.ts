import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { log, describeError } from '../log.ts';
import { readBytesField, readNumberField, readFields } from './protobuf.ts';

/** An answered query, as Envoy reports it. */
export interface AnsweredQuery {
  readonly endpoint: string;
  /** The name that the model server reports; '' when the answer did not come from a model. */
  readonly entity: string;
  readonly status: number;
  readonly milliseconds: number;
}

/** Envoy's gRPC service for access logs. */
const PATH = '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs';
const FRAME_HEADER_BYTES = 5;
/** A message from Envoy is some kilobytes long. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** Headers that Envoy is configured to add and that this server reads. */
export const LOGGED_HEADERS = { endpoint: 'x-serving-endpoint', entity: 'served-model-name' } as const;

/** Makes the server that receives Envoy's report of each answered query; it does not listen yet. */
export function makeAccessLogServer(hear: (answered: AnsweredQuery) => void): Http2Server {
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
        rest = readMessages(Buffer.concat([rest, part]), hear);
      } catch (e) {
        log('warning', "cannot read Envoy's access log", { why: describeError(e) });
        stream.close();
      }
    });
    stream.on('end', () => stream.end());
  });
}

/** Ends the connections, which Envoy never closes by itself. */
export function endSessions(server: object): void {
  for (const session of SESSIONS.get(server) ?? []) session.destroy();
}

const SESSIONS = new WeakMap<object, ReadonlySet<ServerHttp2Session>>();

/** Passes every complete message to `hear` and returns the remaining bytes. */
function readMessages(bytes: Buffer, hear: (answered: AnsweredQuery) => void): Buffer {
  let rest = bytes;
  while (rest.length >= FRAME_HEADER_BYTES) {
    const length = rest.readUInt32BE(1);
    if (length > MAX_MESSAGE_BYTES)
      throw new RangeError(`its message has ${length} bytes, expected ${MAX_MESSAGE_BYTES} or less`);
    if (rest.length < FRAME_HEADER_BYTES + length) break;
    parseEntries(rest.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + length)).forEach(hear);
    rest = rest.subarray(FRAME_HEADER_BYTES + length);
  }
  return rest;
}

/** StreamAccessLogsMessage → its queries. The field numbers are those of Envoy's data/accesslog/v3. */
export function parseEntries(message: Buffer): readonly AnsweredQuery[] {
  const entries = readBytesField(message, 2);
  if (!entries) return [];
  return [...readFields(entries)].flatMap(({ value }) => (typeof value === 'number' ? [] : parseEntry(value)));
}

function parseEntry(entry: Buffer): readonly AnsweredQuery[] {
  const [common, request, response] = [readBytesField(entry, 1), readBytesField(entry, 3), readBytesField(entry, 4)];
  const endpoint = readHeader(request, 13, LOGGED_HEADERS.endpoint);
  if (endpoint === undefined) return []; // the request was refused
  const entity = readHeader(response, 4, LOGGED_HEADERS.entity) ?? '';
  const status = readNumberField(readBytesField(response, 1), 1);
  const duration = readBytesField(common, 12); // until the last byte was sent to the client
  const milliseconds = readNumberField(duration, 1) * 1000 + readNumberField(duration, 2) / 1e6;
  return [{ endpoint, entity, status: status === 0 ? 499 : status, milliseconds }];
}

/** The value of a map entry by its name. */
function readHeader(properties: Buffer | undefined, number: number, name: string): string | undefined {
  for (const field of properties ? readFields(properties) : []) {
    if (field.number !== number || typeof field.value === 'number') continue;
    if (readBytesField(field.value, 1)?.toString() === name) return readBytesField(field.value, 2)?.toString() ?? '';
  }
  return undefined;
}
