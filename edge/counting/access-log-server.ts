import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { log, sentenceOf } from '../log.ts';
import { bytesOf, numberOf, readFields } from './protobuf.ts';

/** An answered query, as Envoy reports it. */
export interface Answered {
  readonly endpoint: string;
  /** The name that the model server reports; '' when the answer did not come from a model. */
  readonly entity: string;
  readonly status: number;
  readonly milliseconds: number;
}

/** Envoy's gRPC service for access logs. */
const PATH = '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs';
const HEAD_BYTES = 5;
/** A message from Envoy is some kilobytes long. */
const MOST_BYTES = 4 * 1024 * 1024;
/** Headers that Envoy is configured to add and that this server reads. */
export const LOGGED = { endpoint: 'x-serving-endpoint', entity: 'served-model-name' } as const;

/** Makes the server that receives Envoy's report of each answered query; it does not listen yet. */
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

/** Ends the connections, which Envoy never closes by itself. */
export function endSessions(server: object): void {
  for (const session of SESSIONS.get(server) ?? []) session.destroy();
}

const SESSIONS = new WeakMap<object, ReadonlySet<ServerHttp2Session>>();

/** Passes every complete message to `hear` and returns the remaining bytes. */
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

/** StreamAccessLogsMessage → its queries. The field numbers are those of Envoy's data/accesslog/v3. */
export function parseEntries(message: Buffer): readonly Answered[] {
  const entries = bytesOf(message, 2);
  if (!entries) return [];
  return [...readFields(entries)].flatMap(({ value }) => (typeof value === 'number' ? [] : parseEntry(value)));
}

function parseEntry(entry: Buffer): readonly Answered[] {
  const [common, request, response] = [bytesOf(entry, 1), bytesOf(entry, 3), bytesOf(entry, 4)];
  const endpoint = headerOf(request, 13, LOGGED.endpoint);
  if (endpoint === undefined) return []; // the request was refused
  const entity = headerOf(response, 4, LOGGED.entity) ?? '';
  const status = numberOf(bytesOf(response, 1), 1);
  const duration = bytesOf(common, 12); // until the last byte was sent to the client
  const milliseconds = numberOf(duration, 1) * 1000 + numberOf(duration, 2) / 1e6;
  return [{ endpoint, entity, status: status === 0 ? 499 : status, milliseconds }];
}

/** The value of a map entry by its name. */
function headerOf(properties: Buffer | undefined, number: number, name: string): string | undefined {
  for (const field of properties ? readFields(properties) : []) {
    if (field.number !== number || typeof field.value === 'number') continue;
    if (bytesOf(field.value, 1)?.toString() === name) return bytesOf(field.value, 2)?.toString() ?? '';
  }
  return undefined;
}
