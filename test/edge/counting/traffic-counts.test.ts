import { once } from 'node:events';
import { connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type AnsweredQuery,
  endSessions,
  makeAccessLogServer,
  parseEntries,
} from '../../../edge/counting/access-log-server.ts';
import { EndpointTraffic } from '../../../edge/counting/traffic-counts.ts';
import '../logged.ts';

const varint = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...varint(Math.floor(n / 128))]);
const bytes = (field: number, value: Buffer | string) => {
  const content = Buffer.from(value);
  return Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(content.length)]), content]);
};
const number = (field: number, value: number) => Buffer.from([...varint(field * 8), ...varint(value)]);
const header = (field: number, name: string, value: string) =>
  bytes(field, Buffer.concat([bytes(1, name), bytes(2, value)]));

/** What Envoy sends of one query, field by field. */
function makeMessage(status: number, seconds: number, nanoseconds: number): Buffer {
  const duration = Buffer.concat([number(1, seconds), number(2, nanoseconds)]);
  const request = Buffer.concat([number(1, 3), header(13, 'x', 'y'), header(13, 'x-serving-endpoint', 'iris')]);
  const response = Buffer.concat([bytes(1, number(1, status)), header(4, 'served-model-name', 'iris-1')]);
  const entry = Buffer.concat([bytes(1, bytes(12, duration)), bytes(3, request), bytes(4, response)]);
  return bytes(2, bytes(1, entry));
}

const frame = (message: Buffer) => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
};

describe("Envoy's access log", () => {
  it('is read out of its protobuf', () => {
    expect(parseEntries(makeMessage(503, 2, 500_000_000))).toEqual([
      { endpoint: 'iris', entity: 'iris-1', status: 503, milliseconds: 2500 },
    ]);
    expect(parseEntries(bytes(1, 'identifier'))).toEqual([]);
    expect(() => parseEntries(makeMessage(200, 0, 1).subarray(0, 40))).toThrow(/cut off/);
  });

  it('comes by gRPC, in whatever pieces, and what is no such message ends only its stream', async () => {
    const heard: AnsweredQuery[] = [];
    const server = makeAccessLogServer((a) => heard.push(a)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
      endSessions(server);
    });
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    onTestFinished(() => client.close());
    const open = (path: string) => client.request({ ':method': 'POST', ':path': path });
    const log = open('/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs');
    const all = Buffer.concat([frame(makeMessage(200, 0, 1_000_000)), frame(makeMessage(500, 1, 0))]);
    for (let at = 0; at < all.length; at += 7) log.write(all.subarray(at, at + 7));
    log.end();
    const ended = once(log, 'trailers');
    log.resume();
    expect((await ended)[0]).toMatchObject({ 'grpc-status': '0' });
    expect(heard.map((h) => h.status)).toEqual([200, 500]);
    const other = open('/other');
    expect((await once(other, 'response'))[0]).toMatchObject({ ':status': 404 });
    const broken = open('/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs');
    broken.on('error', () => undefined).write(Buffer.from([0, 255, 255, 255, 255, 0]));
    await once(broken, 'close');
    expect(client.closed).toBe(false);
  });
});

describe('EndpointTraffic', () => {
  it('adds what all replicas have heard, without one that does not answer', async () => {
    const other = new EndpointTraffic();
    const note = (traffic: EndpointTraffic, entity: string, status: number) =>
      traffic.note({ endpoint: 'iris', entity, status, milliseconds: 3 });
    note(other, 'iris-1', 200);
    note(other, 'iris-2', 500);
    const own = new EndpointTraffic(
      () => ['b', 'silent'],
      (address, endpoint) => (address === 'b' ? Promise.resolve(other.own(endpoint)) : Promise.reject(new Error())),
    );
    note(own, 'iris-1', 404);
    const counts = await own.read('iris');
    expect(counts['iris-1']?.lastMinute).toEqual({ all: 2, client: 1, server: 0 });
    expect(counts['iris-2']?.lastMinute).toEqual({ all: 1, client: 0, server: 1 });
    expect(counts['iris-1']?.latency).toMatchObject({ total: 2, sum: 6 });
    expect(await own.read('none')).toEqual({});
  });
});
