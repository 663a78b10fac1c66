import { readFile } from 'node:fs/promises';
import { Agent as PlainAgent, type IncomingMessage, request as plainRequest } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { AskOptions, ClusterApi, WatchEvent } from './cluster-api.ts';

/** Where the API server is, and who asks. */
export interface Connection {
  /** `https://10.96.0.1:443` */
  readonly server: string;
  readonly ca: string | undefined;
  /** Asked for every request: a service account's token is renewed while it runs. */
  readonly token: () => Promise<string | undefined>;
}

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** A token is read anew so often; it lives for an hour. */
const TOKEN_MILLISECONDS = 60_000;

/** Connects to the API server of the cluster that this process runs in. */
export async function connectInCluster(): Promise<ClusterApi> {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = process.env;
  const ca = await readFile(`${ACCOUNT}/ca.crt`, 'utf8');
  let read = { at: -Infinity, token: '' };
  const token = async () => {
    if (Date.now() - read.at > TOKEN_MILLISECONDS)
      read = { at: Date.now(), token: (await readFile(`${ACCOUNT}/token`, 'utf8')).trim() };
    return read.token;
  };
  const address = host.includes(':') ? `[${host}]` : host;
  return connectTo({ server: `https://${address}:${port}`, ca, token });
}

/** Connects to an API server. */
export function connectTo({ server, ca, token }: Connection): ClusterApi {
  const url = new URL(server);
  const plain = url.protocol === 'http:';
  const agent = plain
    ? new PlainAgent({ keepAlive: true })
    : new Agent({ keepAlive: true, ...(ca !== undefined && { ca }) });

  async function ask(method: string, path: string, { signal }: AskOptions, body?: object): Promise<IncomingMessage> {
    const bearer = await token();
    const headers = {
      accept: 'application/json',
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      ...(body && { 'content-type': 'application/json' }),
    };
    const { hostname, port } = url;
    const options = { method, path, hostname, port, headers, agent, ...(signal && { signal }) };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const asking = (plain ? plainRequest : request)(options, resolve);
    asking.on('error', reject).end(body && JSON.stringify(body));
    const answer = await promise;
    const { statusCode = 0 } = answer;
    if (statusCode >= 200 && statusCode < 300) return answer;
    throw new Error(`Cannot ${method} ${path}: the API server answers ${statusCode} ${sentenceIn(await text(answer))}`);
  }

  async function* watch(path: string, options: AskOptions): AsyncGenerator<WatchEvent> {
    const answer = await ask('GET', path, options);
    let rest = '';
    for await (const part of answer.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = (rest + part).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') yield JSON.parse(line) as WatchEvent;
    }
  }

  return {
    get: async (path, options = {}) => JSON.parse(await text(await ask('GET', path, options))) as unknown,
    post: async (path, body, options = {}) => JSON.parse(await text(await ask('POST', path, options, body))) as unknown,
    text: async (path, options = {}) => text(await ask('GET', path, options)),
    watch: (path, options = {}) => watch(path, options),
  };
}

/** The message of a Status, else the beginning of what was said. */
function sentenceIn(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    return typeof message === 'string' ? message : '';
  } catch {
    return body.slice(0, 200);
  }
}
