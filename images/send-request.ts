import { setTimeout as sleep } from 'node:timers/promises';
import { fetchHeaders, fetchOnce, LIMIT_SECONDS } from './fetch-once.ts';

export interface RegistryRequest {
  readonly registry: string;
  readonly method?: 'GET' | 'HEAD' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The answer is large: the limit of time is for its headers only, and a redirect is returned to the caller. */
  readonly streams?: boolean;
  readonly signal?: AbortSignal | undefined;
}

const LOGIN = 'docker login';
const MAX_ATTEMPTS = 4;
const RETRY_DELAY_MILLISECONDS = 300;
const MAX_RETRY_DELAY_SECONDS = 10;

/** A registry does not respond, or its response is not usable. The message never contains credentials. */
export class RegistryError extends Error {
  constructor(
    registry: string,
    what: string,
    repair = `Run ${LOGIN} ${registry} with an account that can read it`,
    options?: ErrorOptions,
  ) {
    super(`Cannot query the registry ${registry}: ${what}${repair === '' ? '' : `. ${repair}`}`, options);
  }
}

/** A registry refuses to show an image to this account, or to requests without credentials. */
export class RegistryDeniedError extends RegistryError {}

/** Sends a request, and retries if the registry is busy, failing or unreachable. Throws a RegistryError. */
export async function sendRequest(url: URL, request: RegistryRequest): Promise<Response> {
  const { registry, signal } = request;
  for (let tries = 1; ; tries++) {
    const answer = await sendOnce(url, request);
    signal?.throwIfAborted();
    const busy = answer instanceof Error || answer.status === 429 || answer.status >= 500;
    if (!busy) return answer;
    if (tries === MAX_ATTEMPTS) {
      const how =
        answer instanceof Error ? `it is unreachable (${describeCause(answer)})` : `it answered ${answer.status}`;
      throw new RegistryError(
        registry,
        `${how} in ${MAX_ATTEMPTS} attempts`,
        'Run the same command again when the registry is available',
      );
    }
    if (!(answer instanceof Error)) await answer.body?.cancel();
    await sleep(pause(tries, answer), undefined, { ...(signal && { signal }) });
  }
}

function sendOnce(url: URL, { method = 'GET', headers = {}, body, streams = false, signal }: RegistryRequest) {
  const init = { method, headers: { 'user-agent': 'davit', ...headers }, ...(body !== undefined && { body }) };
  return streams ? fetchHeaders(url, { ...init, redirect: 'manual' }, signal) : fetchOnce(url, init, signal);
}

/** Uses the registry's Retry-After, if present. */
function pause(tries: number, answer: Response | Error): number {
  const retrySeconds = answer instanceof Error ? NaN : Number(answer.headers.get('retry-after') ?? NaN);
  return Number.isFinite(retrySeconds)
    ? Math.min(retrySeconds, MAX_RETRY_DELAY_SECONDS) * 1000
    : RETRY_DELAY_MILLISECONDS * 2 ** tries;
}

/** Uses the cause, because the message of fetch is only "fetch failed". */
function describeCause(error: Error): string {
  const { cause } = error;
  if (error.name === 'TimeoutError') return `no answer within ${LIMIT_SECONDS} s`;
  const { code } = (cause ?? {}) as NodeJS.ErrnoException;
  return code ?? (cause instanceof Error ? cause.message : error.message);
}
