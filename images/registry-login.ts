import { z } from 'zod';
import { type Credentials, readCredentials } from './docker-credentials.ts';
import { type ImageReference, isLoopback } from './image-reference.ts';
import { RegistryDeniedError, RegistryError, sendRequest } from './send-request.ts';

/** A registry's authentication challenge. */
interface Challenge {
  readonly scheme: 'basic' | 'bearer';
  readonly realm: string;
  readonly service: string | undefined;
}

const token = z.object({ token: z.string().optional(), access_token: z.string().optional() });
const CLIENT = 'davit';

/**
 * Makes the `authorization` header for a registry's challenge (`www-authenticate`), with Docker's credentials if it has
 * any. Returns undefined if the registry requires credentials and Docker has none.
 */
export async function answerChallenge(header: string, reference: ImageReference): Promise<string | undefined> {
  const challenge = parseChallenge(header);
  const credentials = await readCredentials(reference.registry);
  if (credentials?.kind === 'registry-token') return `Bearer ${credentials.token}`;
  if (challenge?.scheme === 'basic') return credentials?.kind === 'password' ? basic(credentials) : undefined;
  if (!challenge)
    throw new RegistryError(reference.registry, 'it requires an authentication scheme that Davit does not support', '');
  return `Bearer ${await fetchToken(challenge, reference, credentials)}`;
}

/** Parses `Bearer realm="https://…",service="…"`. */
function parseChallenge(header: string): Challenge | undefined {
  const scheme = /^\s*(\w+)/.exec(header)?.[1]?.toLowerCase();
  const fields = Object.fromEntries(
    [...header.matchAll(/(?<!\w)(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g)].map(([, key = '', quoted, plain]) => [
      key.toLowerCase(),
      quoted ?? plain ?? '',
    ]),
  );
  if (scheme === 'basic') return { scheme, realm: fields['realm'] ?? '', service: undefined };
  const realm = fields['realm'];
  return scheme === 'bearer' && realm !== undefined ? { scheme, realm, service: fields['service'] } : undefined;
}

async function fetchToken(
  { realm, service }: Challenge,
  { registry, name }: ImageReference,
  credentials: Credentials | undefined,
): Promise<string> {
  const url = requireSafeRealm(realm, registry);
  const parameters = { ...(service !== undefined && { service }), scope: `repository:${name}:pull` };
  const answer =
    credentials?.kind === 'identity-token'
      ? await sendRequest(url, {
          registry,
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: encodeForm({
            ...parameters,
            grant_type: 'refresh_token',
            client_id: CLIENT,
            refresh_token: credentials.token,
          }),
        })
      : await sendRequest(addQuery(url, parameters), {
          registry,
          ...(credentials?.kind === 'password' && { headers: { authorization: basic(credentials) } }),
        });
  if (!answer.ok) {
    const who = credentials ? 'the credentials that Docker stores for it' : 'requests without credentials';
    throw new RegistryDeniedError(registry, `it rejects ${who} (${url.host} answered ${answer.status})`);
  }
  const parsed = token.safeParse(await answer.json().catch(() => undefined));
  const found = parsed.data?.token ?? parsed.data?.access_token;
  if (found === undefined) throw new RegistryError(registry, `${url.host} answered without a token`, '');
  return found;
}

/** Requires https, except on this machine, so that no password is sent unencrypted. */
function requireSafeRealm(realm: string, registry: string): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(registry) && isLoopback(url.host)))
    return url;
  throw new RegistryError(registry, `it requires a token from "${url?.origin ?? realm}", expected an https URL`, '');
}

function addQuery(url: URL, fields: Readonly<Record<string, string>>): URL {
  const whole = new URL(url);
  for (const [name, value] of Object.entries(fields)) whole.searchParams.set(name, value);
  return whole;
}

function encodeForm(fields: Readonly<Record<string, string>>): string {
  return new URLSearchParams(fields).toString();
}

function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
