import { once } from 'node:events';
import type { Server } from 'node:net';
import type { KubernetesApi } from '../kubernetes/client/api.ts';
import { Access } from './identity/access.ts';
import { type AnsweredQuery, endSessions, makeAccessLogServer } from './counting/access-log-server.ts';
import { Callers } from './identity/callers.ts';
import { EdgeMetrics } from './counting/edge-metrics.ts';
import { Entries } from './cluster-objects/entries.ts';
import { makeHealthServer } from './health-server.ts';
import type { IdentifyCaller } from './identity/identity.ts';
import { StaleAnswerCounter } from './identity/stale-answer-counter.ts';
import { makeKubernetesIdentify } from './identity/kubernetes-identity.ts';
import { Marks } from './marks.ts';
import { Management } from './management.ts';
import { makeOidcIdentify } from './identity/oidc-identity.ts';
import { makePeerClient, makePeerServer } from './counting/peers.ts';
import { makePolicyProbe } from './policy-probe.ts';
import { RateLimiter } from './counting/rate-limiter.ts';
import { ReplicaAddresses } from './counting/replica-addresses.ts';
import { ServingObjects } from './cluster-objects/serving-objects.ts';
import type { EdgeSettings, ListenSettings } from './settings.ts';
import { SigningKeys } from './identity/signing-keys.ts';
import { EndpointTraffic } from './counting/traffic-counts.ts';
import { makeTrafficServer } from './traffic-server.ts';

/** A running service. */
export interface Edge {
  /** The service keeps answering, but is no longer ready and asks every client to use another replica. */
  readonly end: () => void;
  /** Accepts no more connections, and resolves when the last answer is written. */
  readonly close: () => Promise<void>;
}

const CLOSE_MILLISECONDS = 10_000;

/** Starts the whole service on its ports. */
export async function startEdge(settings: EdgeSettings & ListenSettings, api: KubernetesApi): Promise<Edge> {
  const { namespace, ports, peers, address } = settings;
  const marks = settings.marks && (await Marks.read(settings.marks, namespace));
  const [entries, objects] = [new Entries(api, namespace), new ServingObjects(api, namespace)];
  const replicas = peers && new ReplicaAddresses(api, peers);
  const peerClient = makePeerClient(ports.peers, undefined, marks?.peerKey);
  const addresses = () => replicas?.addresses ?? [];
  const limiter = new RateLimiter(replicas && { own: address, addresses, takeFrom: peerClient.take });
  const others = () => addresses().filter((a) => a !== address);
  const traffic = new EndpointTraffic(others, peerClient.counts);
  const kept = new StaleAnswerCounter();
  const callers = new Callers(makeIdentify(settings, api), kept);
  const authorization = { callers, entries, access: new Access(api, namespace, kept), limiter, marks };
  const metrics = new EdgeMetrics();
  let ending = false;
  const following = new AbortController();
  for (const watched of [entries, objects, ...(replicas ? [replicas] : [])]) void watched.follow(following.signal);
  void marks?.follow(following.signal);
  const gauges = () => ({
    endpoints: entries.all.length,
    callers: callers.size,
    replicas: addresses().length,
    counted_alone_total: limiter.alone,
    kept_answers_total: kept.total,
    synced: Number(entries.synced),
  });
  const [ready, policies] = [() => entries.synced && !ending, makePolicyProbe(others, ports)];
  const note = (answered: AnsweredQuery) => entries.find(answered.endpoint) && traffic.note(answered);
  const handlers = { take: limiter.count.bind(limiter), counts: traffic.own.bind(traffic) };
  const management = new Management({ authorization, objects, traffic, url: settings.url });
  const servers = await Promise.all([
    listen(makeTrafficServer({ authorization, management, metrics, ending: () => ending }), ports.traffic),
    listen(makeHealthServer({ ready, metrics: () => metrics.render(gauges()), policies }), ports.health),
    listen(makePeerServer(handlers, marks?.peerKey), ports.peers),
    listen(makeAccessLogServer(note), ports.log),
  ]);
  return {
    end: () => (ending = true),
    close: async () => {
      following.abort();
      await Promise.all(servers.map(close));
    },
  };
}

function makeIdentify({ identity }: EdgeSettings, api: KubernetesApi): IdentifyCaller {
  const byCluster = makeKubernetesIdentify(api, identity.audience);
  if (identity.kind === 'kubernetes') return byCluster;
  return makeOidcIdentify(identity, new SigningKeys(identity.issuer), byCluster);
}

async function listen<T extends Server>(server: T, port: number): Promise<T> {
  server.listen(port);
  await once(server, 'listening');
  return server;
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((done) => server.close(done));
  if ('closeIdleConnections' in server) (server as { closeIdleConnections: () => void }).closeIdleConnections();
  endSessions(server);
  const limit = new Promise((done) => setTimeout(done, CLOSE_MILLISECONDS).unref());
  await Promise.race([closed, limit]);
}
