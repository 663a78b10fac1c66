import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { ClusterObject } from '../../edge/cluster-objects/cluster-object.ts';
import { type KubernetesApi, makeApi } from '../../kubernetes/client/api.ts';
import { internalHost, endpointObjectName } from '../../schemas/environment/kubernetes-names.ts';
import { SERVING_ENTRY_KEY, SERVING_ENTRY_LABEL, type ServingEntry } from '../../schemas/deployment/serving-entry.ts';

export const NAMESPACE = 'models';
export const AUDIENCE = 'davit';

export interface FakeUser {
  readonly username: string;
  readonly groups?: readonly string[];
  /** Default: the one audience. */
  readonly audiences?: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

interface Access {
  readonly user: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
  readonly resourceAttributes: { readonly verb: string; readonly name?: string; readonly group: string };
}

/** As much of a Kubernetes API server as the edge asks: lists, watches, reviews, logs. Real HTTP, no cluster. */
export class FakeCluster {
  readonly api: KubernetesApi;
  readonly users = new Map<string, FakeUser>();
  /** `user verb name`, or `user/scope verb name` for a scope in `extra`; the name `*` is for a question about all. */
  readonly allowed = new Set<string>();
  readonly logs = new Map<string, string>();
  /** The public keys of the cluster's own tokens. */
  keys: readonly object[] = [];
  readonly asked = { tokenReviews: 0, accessReviews: 0, lists: 0 };
  /** Token reviews that ran at one time, at most, by user; of nobody's tokens those with claims are `unknown`, others `opaque`. */
  readonly mostReviews = new Map<string, number>();
  readonly #reviewing = new Map<string, number>();
  /** While true, every request is answered with 500 and watches end. */
  #down = false;
  reviewMilliseconds = 0;
  #version = 100;
  readonly #server: Server;
  readonly #objects = new Map<string, Map<string, ClusterObject>>();
  readonly #watches = new Set<{ readonly path: string; readonly response: ServerResponse }>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.api = makeApi({
      server: `http://127.0.0.1:${port}`,
      name: 'the fake cluster',
      agent: new Agent({ keepAlive: true }),
      headers: () => Promise.resolve({ authorization: 'Bearer own' }),
    });
    server.on('request', (request, response) => {
      void this.#answer(request, response).catch(() => response.writeHead(500).end('{}'));
    });
  }

  static async start(): Promise<FakeCluster> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FakeCluster(server, (server.address() as AddressInfo).port);
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  setDown(down: boolean): void {
    this.#down = down;
    if (down) this.endWatches();
  }

  endWatches(): void {
    for (const { response } of this.#watches) response.destroy();
    this.#watches.clear();
  }

  /** Everything before is forgotten: whoever watches from before has to read anew. */
  put(path: string, name: string, object: object): void {
    const objects = this.#objects.get(path) ?? new Map<string, ClusterObject>();
    this.#objects.set(path, objects);
    this.#version += 1;
    const { metadata = {} } = object as { metadata?: object };
    const whole = { ...object, metadata: { ...metadata, name, resourceVersion: String(this.#version) } };
    const type = objects.has(name) ? 'MODIFIED' : 'ADDED';
    objects.set(name, whole);
    this.#tell(path, { type, object: whole });
  }

  remove(path: string, name: string): void {
    const object = this.#objects.get(path)?.get(name);
    this.#objects.get(path)?.delete(name);
    this.#tell(path, { type: 'DELETED', object });
  }

  putEntry(entry: ServingEntry, more: { readonly annotations?: object; readonly text?: string } = {}): void {
    this.put(CONFIG_MAPS, endpointObjectName(entry.name), {
      metadata: {
        labels: { [SERVING_ENTRY_LABEL]: 'true' },
        annotations: more.annotations ?? {},
        creationTimestamp: '2026-01-02T03:04:05Z',
        managedFields: [{ time: '2026-02-03T04:05:06Z' }],
      },
      data: { [SERVING_ENTRY_KEY]: more.text ?? JSON.stringify(entry) },
    });
  }

  #tell(path: string, event: object): void {
    for (const watch of this.#watches) if (watch.path === path) watch.response.write(`${JSON.stringify(event)}\n`);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://a');
    if (this.#down) {
      response.writeHead(500, { 'content-type': 'application/json' }).end('{"message":"down"}');
      return;
    }
    const say = (body: unknown) => response.writeHead(200).end(typeof body === 'string' ? body : JSON.stringify(body));
    if (request.method === 'POST') say(await this.#review(url.pathname, await json(request)));
    else if (url.pathname === '/openid/v1/jwks') say({ keys: this.keys });
    else if (url.pathname.endsWith('/log')) say(this.logs.get(url.pathname.split('/').at(-2) ?? '') ?? '');
    else if (url.searchParams.get('watch') === 'true') this.#watch(url.pathname, response);
    else {
      this.asked.lists += 1;
      const items = [...(this.#objects.get(url.pathname)?.values() ?? [])];
      say({ metadata: { resourceVersion: String(this.#version) }, items: select(items, url) });
    }
  }

  #watch(path: string, response: ServerResponse): void {
    const watch = { path, response };
    this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
    response.writeHead(200).flushHeaders();
  }

  async #review(path: string, body: unknown): Promise<object> {
    const isToken = path.endsWith('/tokenreviews');
    const shown = isToken ? (body as { spec: { token: string } }).spec.token : '';
    const whose = this.users.get(shown)?.username ?? (shown.includes('.') ? 'unknown' : 'opaque');
    const running = (this.#reviewing.get(whose) ?? 0) + 1;
    this.#reviewing.set(whose, running);
    this.mostReviews.set(whose, Math.max(running, this.mostReviews.get(whose) ?? 0));
    await new Promise((done) => setTimeout(done, this.reviewMilliseconds));
    this.#reviewing.set(whose, (this.#reviewing.get(whose) ?? 1) - 1);
    if (isToken) {
      this.asked.tokenReviews += 1;
      const { token } = (body as { spec: { token: string } }).spec;
      const user = this.users.get(token);
      if (!user) return { status: { authenticated: false, error: 'unknown' } };
      const { username, groups = ['system:authenticated'], audiences = [AUDIENCE], uid = 'u', extra } = user;
      return { status: { authenticated: true, audiences, user: { username, groups, uid, ...(extra && { extra }) } } };
    }
    this.asked.accessReviews += 1;
    const { user, extra, resourceAttributes } = (body as { spec: Access }).spec;
    const { verb, name = '*' } = resourceAttributes;
    const scoped = extra?.['scope'] ? [`${user}/${extra['scope'].join()} ${verb} ${name}`] : [];
    const asked = [`${user} ${verb} ${name}`, `${user} ${verb} *`, ...scoped];
    return { status: { allowed: asked.some((a) => this.allowed.has(a)) } };
  }
}

export const CONFIG_MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
export const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
export const ROUTES = `/apis/serving.knative.dev/v1/namespaces/${NAMESPACE}/routes`;
export const REVISIONS = `/apis/serving.knative.dev/v1/namespaces/${NAMESPACE}/revisions`;

function select(items: readonly ClusterObject[], { searchParams }: URL): readonly ClusterObject[] {
  const [key = '', value] = (searchParams.get('labelSelector') ?? '').split('=');
  if (key === '') return items;
  return items.filter((o) =>
    value === undefined ? o.metadata.labels?.[key] !== undefined : o.metadata.labels?.[key] === value,
  );
}

/** An endpoint with two entities. */
export function makeEntry(more: Partial<ServingEntry> = {}): ServingEntry {
  const name = more.name ?? 'iris';
  const entity = (version: string, trafficPercentage: number) => ({
    name: `iris-${version}`,
    host: internalHost(name, NAMESPACE, `iris-${version}`),
    revision: `${endpointObjectName(name)}-${version}`,
    modelName: 'iris',
    modelVersion: version,
    workloadType: 'CPU',
    concurrency: { min: 0, max: 4 },
    scaleToZero: true,
    trafficPercentage,
  });
  return {
    name,
    description: '',
    tags: [],
    host: internalHost(name, NAMESPACE),
    entities: [entity('1', 90), entity('2', 10)],
    permissions: [{ principal: { kind: 'group', name: 'science' }, level: 'CAN_QUERY' }],
    rateLimits: [],
    routeOptimized: false,
    ...more,
  };
}
