import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { fetchOnce } from '../fetch-once.ts';

/** GitHub's API, from which attestations are read. */
export interface AttestationApi {
  /** `https://api.github.com` */
  readonly url: string;
  /** Empty: only attestations of public repositories can be read. */
  readonly token: string;
  readonly signal?: AbortSignal | undefined;
}

/** Whether there can be attestations: only GitHub's own cloud has them, and a GitHub Enterprise Server has its API at `/api/v3`. */
export function hasAttestations({ url }: Pick<AttestationApi, 'url'>): boolean {
  return !url.endsWith('/api/v3');
}

/** Why an image of such a server is never attested. */
export const NO_ATTESTATIONS =
  'a GitHub Enterprise Server has no attestations; remove images.provenance from the environment';

const RETRY_DELAYS_MILLISECONDS = [500, 2000];
/** GitHub's largest page. The newest attestations come first. */
const PAGE_SIZE = 100;
/** Any workflow of the repository can attest any digest, so the right one may be behind many others. */
const MAX_PAGES = 20;
const MAX_REDIRECTS = 3;

const answer = z.object({ attestations: z.array(z.object({ bundle: z.unknown() })) });

/**
 * Lists the bundles that GitHub keeps for a digest in a repository, page by page. They prove nothing until they are verified.
 * Empty: there are none, or the token cannot read that repository; GitHub gives the same answer for both.
 */
export async function* fetchAttestations(
  { repository, digest }: { readonly repository: string; readonly digest: string },
  api: AttestationApi,
): AsyncGenerator {
  const query = `predicate_type=provenance&per_page=${PAGE_SIZE}`;
  let url: URL | undefined = new URL(
    `${api.url}/repos/${repository}/attestations/${encodeURIComponent(digest)}?${query}`,
  );
  for (let page = 0; url && page < MAX_PAGES; page++) {
    const response = await sendAndFollow(url, api);
    if (response.status === 404) return;
    yield* await readPage(response, repository);
    url = findNextPage(response, url);
  }
}

async function readPage(response: Response, repository: string): Promise<readonly unknown[]> {
  const { status } = response;
  if (!response.ok)
    throw new Error(
      `Cannot read the attestations of ${repository}: GitHub answered ${status}, expected 200. ${status === 401 || status === 403 ? 'Set GH_TOKEN to a token with the permission attestations:read there' : 'Run the same command again later'}`,
    );
  const parsed = answer.safeParse(await response.json().catch(() => undefined));
  if (!parsed.success) throw new Error(`Cannot read the attestations of ${repository}: GitHub's answer is not a list`);
  return parsed.data.attestations.map((a) => a.bundle);
}

/** The token is sent there too, so only an address of the same host counts. */
function findNextPage(response: Response, from: URL): URL | undefined {
  const [, next] = /<([^<>]*)>\s*;\s*rel="next"/.exec(response.headers.get('link') ?? '') ?? [];
  return next === undefined ? undefined : requireSameHost(next, from);
}

/** GitHub redirects requests for a renamed repository. */
async function sendAndFollow(first: URL, api: AttestationApi): Promise<Response> {
  let url = first;
  for (let redirects = 0; ; redirects++) {
    const response = await sendWithRetries(url, api);
    const target = REDIRECTS.has(response.status) ? response.headers.get('location') : null;
    if (target === null) return response;
    if (redirects >= MAX_REDIRECTS) throw new Error(`Cannot read attestations: ${url.host} redirects without end`);
    url = requireSameHost(target, url);
  }
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308]);

function requireSameHost(target: string, from: URL): URL {
  const url = URL.canParse(target, from.href) ? new URL(target, from) : undefined;
  if (url?.origin === from.origin) return url;
  throw new Error(
    `Cannot read attestations: ${from.host} leads to ${url?.host ?? 'no address'}, expected its own host`,
  );
}

async function sendWithRetries(url: URL, api: AttestationApi): Promise<Response> {
  for (let tries = 0; ; tries++) {
    const answered = await send(url, api);
    api.signal?.throwIfAborted();
    const delay = RETRY_DELAYS_MILLISECONDS[tries];
    const isFinal = !(answered instanceof Error) && answered.status < 500 && answered.status !== 429;
    if (isFinal || (delay === undefined && !(answered instanceof Error))) return answered;
    if (delay === undefined)
      throw new Error(`Cannot read attestations: ${url.host} does not answer. Run the same command again later`, {
        cause: answered,
      });
    await sleep(delay, undefined, { ...(api.signal && { signal: api.signal }) });
  }
}

function send(url: URL, { token, signal }: AttestationApi): Promise<Response | Error> {
  const headers = {
    accept: 'application/vnd.github+json',
    'user-agent': 'davit',
    'x-github-api-version': '2022-11-28',
    ...(token !== '' && { authorization: `Bearer ${token}` }),
  };
  return fetchOnce(url, { headers, redirect: 'manual' }, signal);
}
