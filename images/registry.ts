import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type ImageReference, parseImageReference, makeRegistryUrl } from './image-reference.ts';
import { answerChallenge } from './registry-login.ts';
import { RegistryDeniedError, RegistryError, sendRequest } from './send-request.ts';

export interface RegistryOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Accepts every manifest type, because a registry would otherwise convert the manifest, which changes its digest. */
export const MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
const PAGE_TAGS = 1000;
const MAX_PAGES = 100;

const tagList = z.object({ tags: z.array(z.string()).nullish() });

/**
 * Reads the digest of an image by its tag. Returns undefined if the image does not exist. Throws if the query fails.
 */
export async function readImageDigest(reference: string, options: RegistryOptions = {}): Promise<string | undefined> {
  return readTaggedDigest(parseImageReference(reference), options);
}

/** As readImageDigest(), for a name that is parsed already. */
export async function readTaggedDigest(
  image: ImageReference,
  options: RegistryOptions = {},
): Promise<string | undefined> {
  const path = `manifests/${image.version ?? 'latest'}`;
  const head = await queryRegistry(image, path, { ...options, method: 'HEAD' });
  if (head.status === 404) return undefined;
  const digest = head.headers.get('docker-content-digest');
  if (digest !== null && /^sha256:[0-9a-f]{64}$/.test(digest)) return digest;
  const whole = await queryRegistry(image, path, options); // registries do not have to send the header
  if (whole.status === 404) return undefined;
  return `sha256:${createHash('sha256')
    .update(Buffer.from(await whole.arrayBuffer()))
    .digest('hex')}`;
}

/** Lists every tag of a repository. Returns no tags if the repository does not exist. */
export async function listTags(repository: string, options: RegistryOptions = {}): Promise<readonly string[]> {
  const image = parseImageReference(repository);
  const tags: string[] = [];
  let next: string | undefined = `tags/list?n=${PAGE_TAGS}`;
  for (let page = 0; next !== undefined && page < MAX_PAGES; page++) {
    const answer = await queryRegistry(image, next, options);
    if (answer.status === 404) return tags;
    const parsed = tagList.safeParse(await answer.json().catch(() => undefined));
    if (!parsed.success) throw new RegistryError(image.registry, 'its list of tags cannot be read', '');
    tags.push(...(parsed.data.tags ?? []));
    next = findNextPage(answer);
  }
  return tags;
}

/** Finds an image that differs only in its model layer, so that the builder can reuse the other layers. */
export async function findCacheImage(
  { repository, stackHash }: { readonly repository: string; readonly stackHash: string },
  options: RegistryOptions = {},
): Promise<string | undefined> {
  const tag = (await listTags(repository, options)).find((t) => t.startsWith(`${stackHash}-`));
  return tag === undefined ? undefined : `${repository}:${tag}`;
}

async function queryRegistry(
  image: ImageReference,
  path: string,
  { method = 'GET', signal }: RegistryOptions & { readonly method?: 'GET' | 'HEAD' },
): Promise<Response> {
  const { registry, name } = image;
  const url = new URL(`${makeRegistryUrl(registry)}/v2/${name}/${path}`);
  const request = { registry, method, signal };
  const first = await sendRequest(url, { ...request, headers: { accept: MANIFESTS } });
  const answer = first.status === 401 ? await loginAndAsk(first) : first;
  if (answer.ok || answer.status === 404) return answer;
  if (answer.status === 401 || answer.status === 403)
    throw new RegistryDeniedError(registry, `it answered ${answer.status} for "${name}"`);
  throw new RegistryError(registry, `it answered ${answer.status} for "${name}", expected 200 or 404`, '');

  async function loginAndAsk(refused: Response): Promise<Response> {
    const authorization = await answerChallenge(refused.headers.get('www-authenticate') ?? '', image);
    if (authorization === undefined) return refused;
    return sendRequest(url, { ...request, headers: { accept: MANIFESTS, authorization } });
  }
}

/** Reads the next page from `Link: </v2/…?last=x&n=1000>; rel="next"`, as a path below the repository. */
function findNextPage(answer: Response): string | undefined {
  const link = /<([^<>]+)>\s*;\s*rel="?next"?/.exec(answer.headers.get('link') ?? '')?.[1];
  const query = link === undefined ? undefined : new URL(link, answer.url).search;
  return query === undefined ? undefined : `tags/list${query}`;
}
