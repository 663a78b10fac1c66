import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendApiRequest, type ApiRequestOptions, type Connection, type ApiRequest, readText } from './connection.ts';

/** Requests to the API server of a cluster. Paths begin with `/api` or `/apis`. */
export interface KubernetesApi {
  /** The object at a path; undefined: it does not exist. */
  get<T>(path: string, options?: ApiRequestOptions): Promise<T | undefined>;
  /** All objects of a list, read page by page. */
  list<T>(path: string, options?: ListOptions): Promise<readonly T[]>;
  create<T>(path: string, body: object, options?: ApiRequestOptions): Promise<T>;
  /** Server-side apply: creates the object, or takes over the fields that it names. */
  apply<T>(path: string, object: object, options: ApplyOptions): Promise<T>;
  /** Merges fields into an object; null removes a field. */
  patch<T>(path: string, fields: object, options?: ApiRequestOptions): Promise<T>;
  /** Returns whether the object existed. The objects that it owns are removed after it. */
  remove(path: string, options?: ApiRequestOptions): Promise<boolean>;
  /** An answer that is not JSON, such as a pod's log. */
  text(path: string, options?: ApiRequestOptions): Promise<string>;
  /** The events of a watch until it ends, which is not an error. */
  watch(path: string, options?: ApiRequestOptions): AsyncIterable<WatchEvent>;
  /** Any request and any answer: for requests that the API server forwards. */
  send(apiRequest: ApiRequest, options?: ApiRequestOptions): Promise<ApiResponse>;
}

export interface ListOptions extends ApiRequestOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ApplyOptions extends ApiRequestOptions {
  /** The field manager that owns the fields from now on. */
  readonly manager: string;
  readonly dryRun?: boolean;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: unknown;
}

export interface ApiResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** The API server has refused. The message names the request and the answer, never the user or the credentials. */
export class KubernetesRefused extends Error {
  readonly status: number;
  /** Kubernetes' reason: `Forbidden`. */
  readonly reason: string;

  constructor(action: string, { status, reason, message }: { status: number; reason: string; message: string }) {
    super(`Cannot ${action}: the API server answers ${status} ${message || reason}`);
    this.name = 'KubernetesRefused';
    this.status = status;
    this.reason = reason;
  }
}

const PAGE = 500;
const JSON_TYPE = { 'content-type': 'application/json' };
const MERGE_TYPE = { 'content-type': 'application/merge-patch+json' };
const APPLY_TYPE = { 'content-type': 'application/apply-patch+yaml' };
/** How often a request is sent when the API server asks to retry later. */
const MAX_ATTEMPTS = 5;
const LONGEST_PAUSE_SECONDS = 10;
/** A watch of unchanged objects sends nothing for minutes. */
const WATCH_SECONDS = 600;

/** Makes the API client for a connection. */
export function makeApi(connection: Connection): KubernetesApi {
  const read = (answer: IncomingMessage, options: ApiRequestOptions = {}) => readText(connection, answer, options);
  const succeed = async (apiRequest: ApiRequest, options: ApiRequestOptions = {}) => {
    const answer = await sendWithRetries(connection, apiRequest, options);
    if (isSuccess(answer)) return answer;
    const { statusCode: status = 0 } = answer;
    const action = `${apiRequest.method} ${apiRequest.path.split('?')[0] ?? ''}`;
    throw new KubernetesRefused(action, { status, ...readStatus(await read(answer, options)) });
  };
  const parse = async <T>(apiRequest: ApiRequest, options?: ApiRequestOptions) =>
    JSON.parse(await read(await succeed(apiRequest, options), options)) as T;
  const get = (path: string, options?: ApiRequestOptions) => succeed({ method: 'GET', path }, options);
  return {
    get: <T>(path: string, options?: ApiRequestOptions) => ignoreNotFound(parse<T>({ method: 'GET', path }, options)),
    list: (path, options = {}) =>
      listWithRestart((query, pageOptions) => parse({ method: 'GET', path: `${path}?${query}` }, pageOptions), options),
    create: (path, body, options) =>
      parse({ method: 'POST', path, headers: JSON_TYPE, body: JSON.stringify(body) }, options),
    apply: (path, object, { manager, dryRun = false, ...options }) => {
      const query = new URLSearchParams({ fieldManager: manager, force: 'true', ...(dryRun && { dryRun: 'All' }) });
      const whole = `${path}?${query.toString()}`;
      return parse({ method: 'PATCH', path: whole, headers: APPLY_TYPE, body: JSON.stringify(object) }, options);
    },
    patch: (path, fields, options) =>
      parse({ method: 'PATCH', path, headers: MERGE_TYPE, body: JSON.stringify(fields) }, options),
    remove: async (path, options) => {
      const body = JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' });
      return (await ignoreNotFound(parse({ method: 'DELETE', path, headers: JSON_TYPE, body }, options))) !== undefined;
    },
    text: async (path, options) => read(await get(path, options), options),
    watch: (path, options) => readEvents(() => get(path, { limitSeconds: WATCH_SECONDS, ...options })),
    send: async (apiRequest, options = {}) => {
      const answer = await sendApiRequest(connection, apiRequest, options);
      return { status: answer.statusCode ?? 0, headers: answer.headers, body: await read(answer, options) };
    },
  };
}

/** Retries a 429: an overloaded API server has not begun the request, and says when to retry. */
async function sendWithRetries(
  connection: Connection,
  apiRequest: ApiRequest,
  options: ApiRequestOptions,
): Promise<IncomingMessage> {
  for (let tries = 1; ; tries++) {
    const answer = await sendApiRequest(connection, apiRequest, options);
    const pause = Number(answer.headers['retry-after']);
    if (answer.statusCode !== 429 || tries === MAX_ATTEMPTS || !(pause >= 0)) return answer;
    answer.resume();
    await sleep(Math.min(pause, LONGEST_PAUSE_SECONDS) * 1000, undefined, { signal: options.signal });
  }
}

async function ignoreNotFound<T>(pending: Promise<T>): Promise<T | undefined> {
  try {
    return await pending;
  } catch (e) {
    if (e instanceof KubernetesRefused && e.status === 404) return undefined;
    throw e;
  }
}

type ReadPage = <T>(query: string, options: ApiRequestOptions) => Promise<Page<T>>;

/** If the API server's snapshot expires during a paged list, the list is read again in one piece. */
async function listWithRestart<T>(read: ReadPage, options: ListOptions): Promise<readonly T[]> {
  try {
    return await listPages<T>(read, options, PAGE);
  } catch (e) {
    if (e instanceof KubernetesRefused && e.status === 410) return listPages<T>(read, options, undefined);
    throw e;
  }
}

async function listPages<T>(
  read: ReadPage,
  { labelSelector, fieldSelector, ...options }: ListOptions,
  limit: number | undefined,
): Promise<readonly T[]> {
  const items: T[] = [];
  for (let next: string | undefined = ''; next !== undefined;) {
    const query = new URLSearchParams({
      ...(labelSelector !== undefined && { labelSelector }),
      ...(fieldSelector !== undefined && { fieldSelector }),
      ...(limit !== undefined && { limit: String(limit) }),
      ...(next !== '' && { continue: next }),
    });
    const page: Page<T> = await read<T>(query.toString(), options);
    items.push(...page.items);
    next = page.metadata.continue || undefined;
  }
  return items;
}

interface Page<T> {
  readonly metadata: { readonly continue?: string };
  readonly items: readonly T[];
}

function isSuccess({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

/** The reason and message of a Kubernetes Status, else the beginning of the body. */
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
