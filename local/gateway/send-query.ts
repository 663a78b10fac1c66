import type { IncomingMessage } from 'node:http';
import { type Agent, request } from '../../system/node-http.ts';
import { modelServerDied, deadlineExceeded } from '../../serving-api/refusal.ts';
import { Refused } from '../../serving-api/refusal-error.ts';
import type { QueryResponse, Query } from '../revisions/replica.ts';
import { NotStarted } from '../revisions/model-server-errors.ts';

export interface SendOptions {
  readonly socketPath: string;
  readonly agent: Agent;
  /** For messages. */
  readonly entity: string;
  readonly limitSeconds: number;
}

/** Connection errors, after which nothing was sent. */
const NOT_CONNECTED = new Set(['ECONNREFUSED', 'ENOENT', 'EAGAIN', 'EMFILE', 'ENFILE']);

/** Sends one query to a model server's socket and reads the whole response. */
export function sendQuery({ headers, body }: Query, options: SendOptions): Promise<QueryResponse> {
  const { socketPath, agent, entity, limitSeconds } = options;
  return new Promise((done, fail) => {
    const sent = request({ socketPath, agent, method: 'POST', path: '/invocations', headers });
    const limit = setTimeout(
      () => sent.destroy(new Refused(deadlineExceeded(entity, limitSeconds))),
      limitSeconds * 1000,
    );
    const failed = (e: Error) => {
      clearTimeout(limit);
      fail(toQueryError(e, entity));
    };
    sent.on('error', failed);
    sent.on('response', (response) => {
      readWholeBody(response).then((answered) => {
        clearTimeout(limit);
        const answer = { status: response.statusCode ?? 502, headers: response.headers, body: answered };
        if (isNotStarted(answer)) fail(new NotStarted(`the model server answered ${answer.status}`));
        else done(answer);
      }, failed);
    });
    sent.end(body);
  });
}

async function readWholeBody(response: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
}

/** The server sets Retry-After when its queue is full or it is ending. A model's response never has that header. */
function isNotStarted({ status, headers }: QueryResponse): boolean {
  return (status === 429 || status === 503) && headers['retry-after'] !== undefined;
}

function toQueryError(e: Error, entity: string): Error {
  if (e instanceof Refused) return e;
  const { code, syscall } = e as NodeJS.ErrnoException;
  if (syscall === 'connect' && NOT_CONNECTED.has(code ?? '')) return new NotStarted(e.message, { cause: e });
  return new Refused(modelServerDied(entity), { cause: e }); // a worker can have started, so never resend
}
