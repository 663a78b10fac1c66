import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { ListenSettings, EdgeSettings } from '../../edge/settings.ts';
import { type Edge, startEdge } from '../../edge/start-edge.ts';
import { AUDIENCE, type FakeCluster, NAMESPACE } from './fake-cluster.ts';
import { until } from './until.ts';

/** Ports of the whole machine that nobody uses now. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((s) => once(s, 'listening')));
  const ports = servers.map((s) => (s.address() as AddressInfo).port);
  await Promise.all(servers.map((s) => new Promise((done) => s.close(done))));
  return ports;
}

export interface TestEdge extends Edge {
  readonly ports: ListenSettings['ports'];
}

/** The whole service, on free ports, in front of a fake cluster. */
export async function startTestEdge(
  cluster: FakeCluster,
  more: Partial<EdgeSettings & ListenSettings> = {},
): Promise<TestEdge> {
  const [traffic = 0, health = 0, peers = 0, log = 0] = await freePorts(4);
  const ports = { traffic, health, peers, log, ...more.ports };
  const settings = {
    namespace: NAMESPACE,
    identity: { kind: 'kubernetes', audience: AUDIENCE } as const,
    url: undefined,
    peers: undefined,
    address: '127.0.0.1',
    ...more,
    ports,
  };
  const edge = await startEdge(settings, cluster.api);
  return { ...edge, ports };
}

export async function waitForReady({ ports }: TestEdge): Promise<void> {
  await until(async () => (await ask(ports.health, 'GET', '/ready')).status === 200);
}

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

/** Asks a path exactly as it is written, which fetch would tidy up. */
export async function ask(
  port: number,
  method: string,
  path: string,
  {
    headers = {},
    body,
    localAddress,
  }: {
    readonly headers?: Record<string, string>;
    readonly body?: string | Buffer;
    readonly localAddress?: string;
  } = {},
): Promise<Answer> {
  const sent = request({ host: '127.0.0.1', port, method, path, headers, localAddress, agent: false });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await text(answer) };
}

/** The error code in a refusal's body. */
export function codeOf({ body }: Answer): string {
  return (JSON.parse(body) as { error_code: string }).error_code;
}
