import { setTimeout as sleep } from 'node:timers/promises';
import { getOctokit } from '@actions/github';
import { makeRequestError } from './request-error.ts';
import { secondsToWait } from './compute-retry-delay.ts';

export type Octokit = ReturnType<typeof getOctokit>;

export interface ConnectOptions {
  readonly token: string;
  /** `https://api.github.com` */
  readonly apiUrl: string;
  /** `octocat/models` */
  readonly repository: string;
  /** The project's folder in the repository, ending in a slash; default: the repository's root. */
  readonly project?: string;
  /** The workflow's job. GitHub's logs and our fake GitHub tell callers apart by it. */
  readonly job: string;
  readonly signal?: AbortSignal;
  /** The timeout of one request. */
  readonly timeoutSeconds?: number;
  /** The longest total wait of one call, including all retries. */
  readonly patienceSeconds?: number;
  readonly say?: (line: string) => void;
}

/** Counts of the requests to GitHub so far. */
export interface RequestCounts {
  readonly requests: number;
  /** How many of the requests are retries. */
  readonly repeated: number;
  readonly waitedSeconds: number;
}

/** GitHub's API for one repository. */
export interface GitHub {
  readonly octokit: Octokit;
  readonly place: { readonly owner: string; readonly repo: string };
  /**
   * The project's folder in the repository, ending in a slash; empty: the root. Each project of a repository has its
   * own comment, check runs, issues and deployment records (`project-names.ts`).
   */
  readonly project: string;
  readonly calls: () => RequestCounts;
}

const MAX_RETRIES = 5;

/**
 * Connects to GitHub. Requests time out. Those that fail because of GitHub's state or its rate limits are retried.
 * Writes are sent one at a time, as GitHub asks. A final failure is thrown with the request, its status and the missing
 * permission.
 */
export function connectGitHub(options: ConnectOptions): GitHub {
  const [owner, repo, ...rest] = options.repository.split('/');
  if (!owner || !repo || rest.length > 0)
    throw new TypeError(`Cannot connect to GitHub: repository is "${options.repository}", expected OWNER/NAME`);
  const octokit = getOctokit(options.token, { baseUrl: options.apiUrl, userAgent: `davit (${options.job})` });
  const calls = { requests: 0, repeated: 0, waitedSeconds: 0 };
  let writing: Promise<unknown> = Promise.resolve();
  octokit.hook.wrap('request', (request, call) => {
    // octokit's own hook, which adds the token, is bound to this very object, so a copy of it would not work.
    const send = (signal: AbortSignal) => (Object.assign(call.request, { signal }), request(call));
    const sendCall = () => sendWithRetries(send, call, { ...options, calls });
    if (isRead(call)) return sendCall();
    const turn = writing.then(sendCall);
    writing = turn.catch(() => undefined);
    return turn;
  });
  return { octokit, place: { owner, repo }, project: options.project ?? '', calls: () => ({ ...calls }) };
}

/** A request before octokit sends it. */
interface GitHubRequest {
  readonly method: string;
  readonly url: string;
  /** The query, for GraphQL. */
  readonly query?: unknown;
}

interface RetryContext extends ConnectOptions {
  readonly calls: { requests: number; repeated: number; waitedSeconds: number };
}

async function sendWithRetries<T extends { readonly data: unknown }>(
  send: (signal: AbortSignal) => T | Promise<T>,
  call: GitHubRequest,
  patience: RetryContext,
): Promise<T> {
  const { calls, signal, say } = patience;
  let left = patience.patienceSeconds ?? 180;
  for (let repetition = 0; ; repetition++) {
    calls.requests += 1;
    try {
      return throwIfRateLimited(await send(makeTimeoutSignal(patience)));
    } catch (e) {
      signal?.throwIfAborted();
      const seconds = secondsToWait(e, repetition, Date.now());
      if (seconds === undefined || seconds > left || repetition === MAX_RETRIES) throw makeRequestError(e, call);
      say?.(`${makeRequestError(e, call).message}; retrying in ${seconds} s`);
      await sleep(seconds * 1000, undefined, signal && { signal });
      left -= seconds;
      calls.waitedSeconds += seconds;
      calls.repeated += 1;
    }
  }
}

/** Each try has its own timeout, because octokit has none. */
function makeTimeoutSignal({ timeoutSeconds = 30, signal }: ConnectOptions): AbortSignal {
  const timeout = AbortSignal.timeout(timeoutSeconds * 1000);
  return signal ? AbortSignal.any([signal, timeout]) : timeout;
}

/** GraphQL reports a reached limit with status 200. */
function throwIfRateLimited<T extends { readonly data: unknown }>(response: T): T {
  const { errors } = (response.data ?? {}) as { readonly errors?: readonly { readonly type?: string }[] };
  if (!Array.isArray(errors) || !errors.some((e: { type?: string }) => e.type === 'RATE_LIMITED')) return response;
  throw Object.assign(new Error('API rate limit exceeded'), { status: 429, response });
}

function isRead({ method, url, query }: GitHubRequest): boolean {
  if (!url.endsWith('/graphql')) return method === 'GET';
  return typeof query === 'string' && !query.startsWith('mutation');
}
