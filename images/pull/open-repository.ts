import { isLoopback, type ImageReference, makeRegistryUrl } from '../image-reference.ts';
import { answerChallenge } from '../registry-login.ts';
import { RegistryDeniedError, RegistryError, type RegistryRequest, sendRequest } from '../send-request.ts';

/** A repository of a registry that does not have what was requested. */
export class NotInRegistryError extends Error {}

/** Reads one repository. */
export interface Repository {
  readonly registry: string;
  /** Requests `manifests/DIGEST` or `blobs/DIGEST`. Throws unless the answer has the content. */
  readonly get: (path: string, headers: Readonly<Record<string, string>>) => Promise<Response>;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const MAX_REDIRECTS = 5;

/** Opens a repository: it signs in when the registry requires it, and again when the token has expired. */
export function openRepository(image: ImageReference, signal: AbortSignal | undefined): Repository {
  const { registry, name } = image;
  let authorization: string | undefined;
  const send = (path: string, headers: Readonly<Record<string, string>>) =>
    sendAndFollow(new URL(`${makeRegistryUrl(registry)}/v2/${name}/${path}`), {
      ...{ registry, signal, streams: true },
      headers: { ...headers, ...(authorization !== undefined && { authorization }) },
    });
  const get: Repository['get'] = async (path, headers) => {
    const first = await send(path, headers);
    if (first.status !== 401) return requireContent(first, image);
    await first.body?.cancel();
    authorization = await answerChallenge(first.headers.get('www-authenticate') ?? '', image);
    return requireContent(authorization === undefined ? first : await send(path, headers), image);
  };
  return { registry, get };
}

/** Follows redirects to the registry's storage, which gets no credential. */
async function sendAndFollow(url: URL, request: RegistryRequest): Promise<Response> {
  let at = url;
  let answer = await sendRequest(at, request);
  for (let count = 0; count < MAX_REDIRECTS && REDIRECTS.has(answer.status); count++) {
    await answer.body?.cancel();
    at = requireSafeTarget(answer.headers.get('location') ?? '', { from: at, registry: request.registry });
    const { authorization = '', ...others } = request.headers ?? {};
    const isSame = at.origin === url.origin && authorization !== '';
    answer = await sendRequest(at, { ...request, headers: isSame ? { ...others, authorization } : others });
  }
  return answer;
}

/** Requires https, except between servers of this machine, so that a registry cannot name an internal service. */
function requireSafeTarget(
  location: string,
  { from, registry }: { readonly from: URL; readonly registry: string },
): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (target?.protocol === 'https:') return target;
  if (target?.protocol === 'http:' && isLoopback(registry) && isLoopback(target.host)) return target;
  throw new RegistryError(registry, `it redirects to "${target?.origin ?? ''}", expected an https URL`, '');
}

async function requireContent(answer: Response, { registry, name }: ImageReference): Promise<Response> {
  const { status } = answer;
  if (status === 200 || status === 206) return answer;
  if (status !== 401) await answer.body?.cancel();
  if (status === 404) throw new NotInRegistryError(`the registry ${registry} does not have it`);
  const answered = `it answered ${status} for "${name}"`;
  if (status === 401 || status === 403) throw new RegistryDeniedError(registry, answered);
  throw new RegistryError(registry, `${answered}, expected 200`, '');
}
