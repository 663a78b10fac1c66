// GitHub's API in memory: routes, tokens, rate limits, faults. Checks requests and responses with GitHub's schemas.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Operation, readContract } from './contract.ts';
import { answerGraphql, findGraphqlField, type GraphqlRequest } from './graphql.ts';
import { makeLimits } from './limits.ts';
import { type TokenPermission, OPERATIONS } from './operations.ts';
import { paginate } from './paginate.ts';
import { Refusal } from './refusal.ts';
import { HANDLERS } from './rest.ts';
import { type Fault, type Permissions, type ParsedSeed, seed as seedSchema, type Seed } from './seed.ts';
import { makeWorld, type World } from './world.ts';

/** A request that the fake has received. */
export interface RecordedRequest {
  /** The id of a REST operation or a GraphQL field. Undefined: the fake does not serve the request. */
  readonly operation: string | undefined;
  readonly request: string;
  readonly status: number;
  readonly job: string | undefined;
}

export interface FakeGitHub {
  /** `http://127.0.0.1:…`, for GITHUB_API_URL. */
  readonly url: string;
  readonly world: World;
  readonly requests: RecordedRequest[];
  /** Requests and responses that do not match GitHub's schemas. A test must cause none. */
  readonly breaches: string[];
  readonly fail: (fault: Fault) => void;
  /** Calls the function once, after the next answer to this operation and before anybody has it. */
  readonly afterNext: (operation: string, act: () => void) => void;
  readonly close: () => Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface FakeRequest {
  readonly url: URL;
  /** The path below that of the API; empty: outside. */
  readonly path: string;
  readonly isGraphql: boolean;
  readonly method: string;
  readonly text: string;
  readonly operation: Operation | undefined;
  readonly name: string | undefined;
  readonly token: string | undefined;
  readonly job: string | undefined;
}

const PUBLIC_SERVER = 'https://github.com';
const ENTERPRISE_BASE = '/api/v3';

/** Returns the fake's whole state, for tests that run it as a process. */
const STATE_PATH = '/_fake';

export async function startFakeGitHub(seed: Seed): Promise<FakeGitHub> {
  const planted = seedSchema.parse(seed);
  const contract = readContract();
  const base = planted.server === PUBLIC_SERVER ? '' : ENTERPRISE_BASE;
  const world = makeWorld(planted);
  const requests: RecordedRequest[] = [];
  const breaches: string[] = [];
  const limits = makeLimits(planted);
  const acts = new Map<string, () => void>();

  const server = createServer((request, response) => {
    void (async () => {
      if (request.url === STATE_PATH) return void response.end(JSON.stringify({ world, requests, breaches }));
      const asked = await read(request, { contract, base });
      const reply = await limits.around(asked, () => answer(asked, { planted, world, breaches }));
      const { name: operation, job, url, method } = asked;
      const act = acts.get(operation ?? '');
      acts.delete(operation ?? '');
      act?.();
      requests.push({ operation, request: `${method} ${url.pathname}${url.search}`, status: reply.status, job });
      if (operation === undefined) breaches.push(`The fake has no ${method} ${url.pathname}`);
      if (reply.status === 0) return void response.destroy();
      const headers = { 'content-type': 'application/json; charset=utf-8', ...limits.headers(), ...reply.headers };
      response.writeHead(reply.status, headers);
      response.end(reply.body === undefined ? undefined : JSON.stringify(reply.body));
    })();
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${base}`,
    world,
    requests,
    breaches,
    fail: limits.fail,
    afterNext: (operation, act) => void acts.set(operation, act),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

interface ReadContext {
  readonly contract: readonly Operation[];
  /** The path of the API. */
  readonly base: string;
}

async function read(request: IncomingMessage, { contract, base }: ReadContext): Promise<FakeRequest> {
  const url = new URL(request.url ?? '/', `http://${request.headers.host ?? 'fake'}`);
  const method = request.method ?? 'GET';
  const body = await text(request);
  const path = url.pathname.startsWith(`${base}/`) ? url.pathname.slice(base.length) : '';
  const operation = contract.find((o) => o.method === method && o.match(path));
  const isGraphql = method === 'POST' && url.pathname === `${base.replace('/v3', '')}/graphql`;
  const name = isGraphql ? findGraphqlField((JSON.parse(body) as GraphqlRequest).query) : operation?.id;
  const token = /^(?:token|bearer) (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const job = /davit \((.+?)\)/.exec(request.headers['user-agent'] ?? '')?.[1];
  return { url, path, isGraphql, method, text: body, operation, name, token, job };
}

interface Answering {
  readonly planted: ParsedSeed;
  readonly world: World;
  readonly breaches: string[];
}

async function answer(asked: FakeRequest, answering: Answering): Promise<Reply> {
  const { planted, world, breaches } = answering;
  const holder = planted.tokens[asked.token ?? ''];
  if (!holder) return refuse(new Refusal(401, 'Bad credentials'));
  const permissions = holder.permissions ?? planted.jobs[asked.job ?? ''] ?? {};
  const allows = (need: TokenPermission) => hasPermission(permissions, need);
  if (asked.isGraphql) {
    const body = await answerGraphql(JSON.parse(asked.text) as GraphqlRequest, { world, login: holder.login, allows });
    for (const e of body.errors ?? []) if (!('type' in e)) breaches.push(`GraphQL: ${e.message}`);
    return { status: 200, body };
  }
  try {
    return answerRest(asked, { ...answering, login: holder.login, allows });
  } catch (e) {
    if (e instanceof Refusal) return refuse(e, asked.operation);
    throw e;
  }
}

interface RestContext extends Answering {
  readonly login: string;
  readonly allows: (need: TokenPermission) => boolean;
}

function answerRest(
  { operation, url, path, text: written }: FakeRequest,
  { world, breaches, login, allows }: RestContext,
): Reply {
  const params = operation?.match(path) ?? {};
  const repository = `${params['owner'] ?? ''}/${params['repo'] ?? ''}`;
  if (!operation || repository.toLowerCase() !== world.repository.toLowerCase()) throw new Refusal(404, 'Not Found');
  if (!OPERATIONS[operation.id].some(allows)) throw new Refusal(403, 'Resource not accessible by integration');
  for (const key of url.searchParams.keys())
    if (!operation.query.includes(key)) breaches.push(`${operation.id} has no parameter "${key}"`);
  const body: unknown = written === '' ? undefined : JSON.parse(written);
  const wrong = body === undefined ? [] : operation.wrongRequest(body);
  if (wrong.length > 0) throw new Refusal(422, 'Invalid request.', wrong);
  const example = operation.example();
  const done = HANDLERS[operation.id]({ world, login, params, query: url.searchParams, body, example });
  const page = paginate(operation.id, url, done);
  const strange = operation.wrongResponse(page.body);
  if (strange.length > 0) breaches.push(`${operation.id} answers what GitHub would not: ${strange.join('; ')}`);
  return { status: operation.status, ...page };
}

function hasPermission(permissions: Permissions, need: TokenPermission): boolean {
  const [name = '', access] = need.split(':');
  return permissions[name] === 'write' || permissions[name] === access;
}

/** Like GitHub, names the sufficient permissions in a header. */
function refuse({ status, message, errors }: Refusal, operation?: Operation): Reply {
  const needs: readonly TokenPermission[] = status === 403 && operation ? OPERATIONS[operation.id] : [];
  const accepted = needs.map((need) => need.replaceAll('-', '_').replace(':', '=')).join('; ');
  return {
    status,
    body: {
      message,
      ...(errors && { errors }),
      documentation_url: 'https://docs.github.com/rest',
      status: String(status),
    },
    ...(accepted && { headers: { 'x-accepted-github-permissions': accepted } }),
  };
}
