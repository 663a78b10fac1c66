import { JOSEAlgNotAllowed, JOSEError, JWTClaimValidationFailed, JWTExpired } from 'jose/errors';
import type { Caller } from '../../serving-api/caller.ts';
import type { IdentitySettings } from '../../schemas/environment/kubernetes-environment.ts';
import { log, describeError } from '../log.ts';
import { ALGORITHMS } from './algorithms.ts';
import { type IdentifyCaller, type Identity, type InvalidToken, CheckUnavailableError } from './identity.ts';
import { readExpiry, SKEW_SECONDS } from './refute-token.ts';
import { type SigningKeys, UnknownKeyError, type VerifiedClaims } from './signing-keys.ts';
import { readUnverifiedClaims } from './unverified-claims.ts';

export type OidcSettings = Extract<IdentitySettings, { kind: 'oidc' }>;

const RESERVED_PREFIX = 'system:';
/** How permissions name a service account of the cluster: `NAMESPACE/NAME`. */
const SERVICE_ACCOUNT_NAME = /^[a-z0-9-]+\/[a-z0-9.-]+$/;
const EMAIL = 'email';
const EMAIL_VERIFIED = 'email_verified';
/** Claims that say which client of the issuer a token was made for. */
const CLIENT_CLAIMS = ['azp', 'client_id', 'cid', 'appid'] as const;

/**
 * Makes the function that identifies callers by the signature of an OpenID Connect issuer. Tokens of another issuer,
 * such as those of the cluster's service accounts, go to `others`.
 */
export function makeOidcIdentify(settings: OidcSettings, keys: SigningKeys, others: IdentifyCaller): IdentifyCaller {
  const { issuer, audience } = settings;
  const rules = { issuer, audience, algorithms: ALGORITHMS, clockTolerance: SKEW_SECONDS, requiredClaims: ['exp'] };
  return async (token, options) => {
    if (readUnverifiedClaims(token)?.['iss'] !== issuer) return others(token, options);
    try {
      return readCaller(await keys.verify(token, rules), settings);
    } catch (e) {
      if (e instanceof CheckUnavailableError) throw e;
      // The issuer may publish the key of this token at any moment.
      return { why: explainRefusal(e, settings), ...(e instanceof UnknownKeyError && { provisional: true }) };
    }
  };
}

function explainRefusal(error: unknown, { audience }: OidcSettings): string {
  if (error instanceof JWTExpired) {
    const expires = readExpiry(error.payload.exp);
    return expires === undefined ? INVALID_EXPIRY : `it expired at ${new Date(expires).toISOString()}`;
  }
  if (error instanceof JWTClaimValidationFailed) {
    if (error.claim === 'exp') return error.reason === 'missing' ? 'it has no expiry' : INVALID_EXPIRY;
    if (error.claim === 'nbf' && error.reason === 'check_failed') return 'it is not valid yet';
    if (error.claim === 'aud') return `it is for another audience, expected "${audience}"`;
    return `its claim "${error.claim}" is wrong`;
  }
  if (error instanceof JOSEAlgNotAllowed)
    return `its algorithm is not accepted, expected one of ${ALGORITHMS.join(', ')}`;
  if (!(error instanceof JOSEError || error instanceof UnknownKeyError))
    log('warning', 'cannot verify a token', { why: describeError(error) });
  return 'its signature matches no key of its issuer';
}

const INVALID_EXPIRY = 'its expiry is not a time';

function readCaller(claims: VerifiedClaims, settings: OidcSettings): Identity | InvalidToken {
  const client = readClient(claims);
  const name = client ?? claims[settings.usernameClaim];
  if (typeof name !== 'string' || name === '') return { why: `it has no claim "${settings.usernameClaim}"` };
  // Kubernetes reserves these names. A permission for one of them means the cluster's user or service account.
  if (name.startsWith(RESERVED_PREFIX) || (client !== undefined && SERVICE_ACCOUNT_NAME.test(client)))
    return { why: 'its user name is reserved by the cluster' };
  if (client === undefined && settings.usernameClaim === EMAIL && !isVerified(claims[EMAIL_VERIFIED]))
    return { why: `its issuer has not verified the address in its claim "${EMAIL}"` };
  const expires = readExpiry(claims['exp']);
  if (expires === undefined) return { why: INVALID_EXPIRY };
  const given = claims[settings.groupsClaim];
  const texts = (Array.isArray(given) ? given : [given]).filter((g): g is string => typeof g === 'string');
  const groups = texts.filter((g) => !g.startsWith(RESERVED_PREFIX));
  const kind: Caller['kind'] = client === undefined ? 'user' : 'service_principal';
  // The skew is for verification only: a verified token is not used beyond its expiry.
  return { caller: { name, kind, groups }, reviewed: undefined, expires };
}

/** Issuers that verify every address leave the claim out, as OpenID Connect permits. Some write it as text. */
function isVerified(claim: unknown): boolean {
  return claim === undefined || claim === true || claim === 'true';
}

/**
 * The client of a client's own token; undefined for a token that a person got through a client. In the former the
 * subject is the client itself.
 */
function readClient(claims: VerifiedClaims): string | undefined {
  const clients = CLIENT_CLAIMS.map((c) => claims[c]).filter((c): c is string => typeof c === 'string' && c !== '');
  if (claims['idtyp'] === 'app') return clients[0];
  return clients.find((c) => claims['sub'] === c || claims['sub'] === `${c}@clients`);
}
