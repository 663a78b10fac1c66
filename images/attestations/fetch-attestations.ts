import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

/** GitHub's API, from which attestations are read. */
export interface AttestationApi {
  /** `https://api.github.com` */
  readonly url: string;
  /** Empty: only attestations of public repositories can be read. */
  readonly token: string;
  readonly signal?: AbortSignal | undefined;
}

const LIMIT_SECONDS = 30;
const RETRY_DELAYS_MILLISECONDS = [500, 2000];
/** GitHub lists the newest first. A digest with more attestations than this has been attested many times. */
const MAX_ATTESTATIONS = 100;

const answer = z.object({ attestations: z.array(z.object({ bundle: z.unknown() })) });

/**
 * Lists the bundles that GitHub keeps for a digest in a repository. They prove nothing until they are verified. Empty:
 * there are none, or the token cannot read that repository, which GitHub does not tell apart.
 */
export async function fetchAttestations(
  { repository, digest }: { readonly repository: string; readonly digest: string },
  api: AttestationApi,
): Promise<readonly unknown[]> {
  const query = `predicate_type=provenance&per_page=${MAX_ATTESTATIONS}`;
  const url = new URL(`${api.url}/repos/${repository}/attestations/${encodeURIComponent(digest)}?${query}`);
  const response = await sendWithRetries(url, api);
  if (response.status === 404) return [];
  const { status } = response;
  if (!response.ok)
    throw new Error(
      `Cannot read the attestations of ${repository}: GitHub answered ${status}, expected 200. ${status === 401 || status === 403 ? 'Set GH_TOKEN to a token with the permission attestations:read there' : 'Run the same command again later'}`,
    );
  const parsed = answer.safeParse(await response.json().catch(() => undefined));
  if (!parsed.success) throw new Error(`Cannot read the attestations of ${repository}: GitHub's answer is not a list`);
  return parsed.data.attestations.map((a) => a.bundle);
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

async function send(url: URL, { token, signal }: AttestationApi): Promise<Response | Error> {
  const limit = AbortSignal.timeout(LIMIT_SECONDS * 1000);
  const headers = {
    accept: 'application/vnd.github+json',
    'user-agent': 'davit',
    'x-github-api-version': '2022-11-28',
    ...(token !== '' && { authorization: `Bearer ${token}` }),
  };
  try {
    return await fetch(url, { headers, redirect: 'error', signal: signal ? AbortSignal.any([limit, signal]) : limit });
  } catch (e) {
    return e instanceof Error ? e : new Error(String(e));
  }
}
