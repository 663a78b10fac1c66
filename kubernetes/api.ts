import type { Agent, IncomingMessage } from 'node:http';
import { request as plainRequest } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';

/** Questions to the API server of a cluster. Paths begin with `/api` or `/apis`. */
export interface KubernetesApi {
  /** The object at a path; undefined: there is none. */
  get<T>(path: string, options?: AskOptions): Promise<T | undefined>;
  /** All objects of a list, page by page. */
  list<T>(path: string, options?: ListOptions): Promise<readonly T[]>;
  create<T>(path: string, body: object, options?: AskOptions): Promise<T>;
  /** An answer that is no JSON: a pod's log. */
  text(path: string, options?: AskOptions): Promise<string>;
  /** Events of a watch until it ends, which is no mistake. */
  watch(path: string, options?: AskOptions): AsyncIterable<WatchEvent>;
  /** Any request, any answer: for what the API server passes on to somebody else. */
  send(question: Question, options?: AskOptions): Promise<Answer>;
}

export interface AskOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface ListOptions extends AskOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: unknown;
}

export interface Question {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Where the API server is, and who asks. */
export interface Connection {
  /** `https://10.96.0.1:443` */
  readonly server: string;
  /** For a person: `the cluster of context "production"`. */
  readonly name: string;
  readonly agent: Agent;
  /** Asked for every request, since tokens are renewed; `again`: the last ones were refused. */
  readonly headers: (again: boolean) => Promise<Readonly<Record<string, string>>>;
}

/** The API server has refused. The message names what was asked and what it said, never who asked with what. */
export class KubernetesRefused extends Error {
  readonly status: number;
  /** Kubernetes' word: `Forbidden`. */
  readonly reason: string;

  constructor(asked: string, { status, reason, message }: { status: number; reason: string; message: string }) {
    super(`Cannot ${asked}: the API server answers ${status} ${message || reason}`);
    this.name = 'KubernetesRefused';
    this.status = status;
    this.reason = reason;
  }
}

const PAGE = 500;
const JSON_TYPE = 'application/json';

/** Makes the questions that can be asked over a connection. */
export function makeApi(connection: Connection): KubernetesApi {
  const ask = async (question: Question, options: AskOptions = {}) => {
    const answer = await open(connection, question, options);
    return answer.statusCode === 401 ? open(connection, question, { ...options, again: true }) : answer;
  };
  const succeed = async (question: Question, options?: AskOptions) => {
    const answer = await ask(question, options);
    return isSuccess(answer) ? answer : refuse(question, answer);
  };
  const get = (path: string, options?: AskOptions) => succeed({ method: 'GET', path }, options);
  return {
    get: async <T>(path: string, options?: AskOptions) => {
      const answer = await ask({ method: 'GET', path }, options);
      if (answer.statusCode === 404) {
        answer.resume();
        return undefined;
      }
      if (!isSuccess(answer)) return refuse({ method: 'GET', path }, answer);
      return JSON.parse(await text(answer)) as T;
    },
    list: <T>(path: string, { signal, ...selectors }: ListOptions = {}) =>
      listPages<T>(
        selectors,
        async (query) => JSON.parse(await text(await get(`${path}?${query}`, { signal }))) as Page<T>,
      ),
    create: async <T>(path: string, body: object, options?: AskOptions) => {
      const headers = { 'content-type': JSON_TYPE };
      const answer = await succeed({ method: 'POST', path, headers, body: JSON.stringify(body) }, options);
      return JSON.parse(await text(answer)) as T;
    },
    text: async (path, options) => text(await get(path, options)),
    watch: (path, options) => readEvents(() => get(path, options)),
    send: async (question, options) => {
      const answer = await ask(question, options);
      return { status: answer.statusCode ?? 0, body: await text(answer) };
    },
  };
}

async function listPages<T>(
  selectors: Readonly<Record<string, string>>,
  read: (query: string) => Promise<Page<T>>,
): Promise<readonly T[]> {
  const items: T[] = [];
  for (let next: string | undefined = ''; next !== undefined;) {
    const query = new URLSearchParams({ ...selectors, limit: String(PAGE), ...(next !== '' && { continue: next }) });
    const page: Page<T> = await read(query.toString());
    items.push(...page.items);
    next = page.metadata.continue || undefined;
  }
  return items;
}

function isSuccess({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

async function refuse({ method, path }: Question, answer: IncomingMessage): Promise<never> {
  const { statusCode: status = 0 } = answer;
  throw new KubernetesRefused(`${method} ${path.split('?')[0] ?? ''}`, { status, ...readStatus(await text(answer)) });
}

interface Page<T> {
  readonly metadata: { readonly continue?: string };
  readonly items: readonly T[];
}

async function open(
  { server, name, agent, headers }: Connection,
  { method, path, headers: own = {}, body }: Question,
  { signal, again = false }: AskOptions & { readonly again?: boolean },
): Promise<IncomingMessage> {
  const url = new URL(server);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const asking = (url.protocol === 'http:' ? plainRequest : request)(
    {
      method,
      hostname: url.hostname,
      port: url.port,
      path: url.pathname.replace(/\/$/, '') + path,
      headers: { accept: JSON_TYPE, ...(await headers(again)), ...own },
      agent,
      ...(signal && { signal }),
    },
    resolve,
  );
  asking.on('error', reject).end(body);
  return promise.catch((e: unknown) => {
    if (signal?.aborted) throw e;
    const why = e instanceof Error ? e.message : String(e);
    throw new Error(`Cannot reach ${name} at ${server}: ${why}, expected its API server to answer`, { cause: e });
  });
}

/** What a Status of Kubernetes says, else the beginning of what was said. */
function readStatus(body: string): { readonly reason: string; readonly message: string } {
  try {
    const { reason = '', message = '' } = JSON.parse(body) as { reason?: string; message?: string };
    return { reason, message };
  } catch {
    return { reason: '', message: body.trim().slice(0, 200) };
  }
}

async function* readEvents(start: () => Promise<IncomingMessage>): AsyncGenerator<WatchEvent> {
  const answer = await start();
  let rest = '';
  for await (const part of answer.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield JSON.parse(line) as WatchEvent;
  }
}
