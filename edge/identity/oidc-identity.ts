import type { Caller } from '../../serving-api/caller.ts';
import type { IdentitySettings } from '../../schemas/environment/kubernetes-environment.ts';
import type { Identify, Known, Nobody } from './identity.ts';
import { isAcceptable, type JsonWebToken, parseJsonWebToken } from './json-web-token.ts';
import type { SigningKeys } from './signing-keys.ts';

export type OidcSettings = Extract<IdentitySettings, { kind: 'oidc' }>;

/** Allows for clocks that differ. */
const SKEW_MILLISECONDS = 60_000;
const KEPT = 'system:';
/** Claims that say which client of the issuer a token was made for. */
const CLIENT_CLAIMS = ['azp', 'client_id', 'cid', 'appid'] as const;

/**
 * Makes the function that identifies callers by the signature of an OpenID Connect issuer. Tokens of another issuer,
 * such as those of the cluster's service accounts, go to `others`.
 */
export function oidcIdentity(settings: OidcSettings, keys: SigningKeys, others: Identify): Identify {
  return async (text, options) => {
    const token = parseJsonWebToken(text);
    if (token?.claims['iss'] !== settings.issuer) return others(text, options);
    if (!isAcceptable(token)) return { why: `it is signed with ${token.algorithm}, which is not accepted` };
    const wrong = checkClaims(token.claims, settings);
    if (wrong !== undefined) return { why: wrong };
    if (!(await keys.haveSigned(token))) return { why: 'its signature matches no key of its issuer' };
    return readCaller(token, settings);
  };
}

function checkClaims(claims: JsonWebToken['claims'], { audience }: OidcSettings): string | undefined {
  const [now, expires, begins] = [Date.now(), time(claims['exp']), time(claims['nbf'])];
  if (expires === undefined) return 'it has no expiry';
  if (expires + SKEW_MILLISECONDS <= now) return `it expired at ${new Date(expires).toISOString()}`;
  if (begins !== undefined && begins - SKEW_MILLISECONDS > now) return 'it is not valid yet';
  const meant = claims['aud'];
  const fits = Array.isArray(meant) ? meant.includes(audience) : meant === audience;
  return fits ? undefined : `it is for another audience, expected "${audience}"`;
}

function readCaller({ claims }: JsonWebToken, settings: OidcSettings): Known | Nobody {
  const client = clientOf(claims);
  const name = client ?? claims[settings.usernameClaim];
  if (typeof name !== 'string' || name === '') return { why: `it has no claim "${settings.usernameClaim}"` };
  // Kubernetes reserves these names. A permission for one of them means the cluster's user.
  if (name.startsWith(KEPT)) return { why: 'its user name is reserved by the cluster' };
  const given = claims[settings.groupsClaim];
  const texts = (Array.isArray(given) ? given : [given]).filter((g): g is string => typeof g === 'string');
  const groups = texts.filter((g) => !g.startsWith(KEPT));
  const kind: Caller['kind'] = client === undefined ? 'user' : 'service_principal';
  // The skew is for verification only: a verified token is not used beyond its expiry.
  return { caller: { name, kind, groups }, reviewed: undefined, expires: time(claims['exp']) };
}

/**
 * The client of a client's own token; undefined for a token that a person got through a client. In the former the
 * subject is the client itself.
 */
function clientOf(claims: JsonWebToken['claims']): string | undefined {
  const clients = CLIENT_CLAIMS.map((c) => claims[c]).filter((c): c is string => typeof c === 'string' && c !== '');
  if (claims['idtyp'] === 'app') return clients[0];
  return clients.find((c) => claims['sub'] === c || claims['sub'] === `${c}@clients`);
}

function time(seconds: unknown): number | undefined {
  return typeof seconds === 'number' && Number.isFinite(seconds) ? seconds * 1000 : undefined;
}
