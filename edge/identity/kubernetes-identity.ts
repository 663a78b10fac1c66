import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import { type IdentifyCaller, type Identity, type InvalidToken, IdentityUnavailableError } from './identity.ts';
import { ClusterSignatures } from './cluster-signatures.ts';
import { readExpiry, refuteToken } from './refute-token.ts';
import { readUnverifiedClaims } from './unverified-claims.ts';
import { VerificationPlaces } from './verification-places.ts';

const PATH = '/apis/authentication.k8s.io/v1/tokenreviews';
const REVIEW_MILLISECONDS = 4000;
/**
 * A flood of invalid tokens must not flood the API server, nor keep valid ones from it. Only the cluster can make tokens
 * of the first kind, and anybody those of the others.
 */
const MAX_CONCURRENT_REVIEWS = {
  signed: { all: 32, ofOneSource: 32 },
  webToken: { all: 32, ofOneSource: 8 },
  opaque: { all: 16, ofOneSource: 8 },
} as const;

/**
 * Makes the function that identifies callers through the cluster: a TokenReview for one audience. Tokens that cannot be
 * valid are refused without one.
 */
export function makeKubernetesIdentify(api: KubernetesApi, audience: string): IdentifyCaller {
  const signatures = new ClusterSignatures(api);
  const signed = new VerificationPlaces(MAX_CONCURRENT_REVIEWS.signed);
  const webToken = new VerificationPlaces(MAX_CONCURRENT_REVIEWS.webToken);
  const opaque = new VerificationPlaces(MAX_CONCURRENT_REVIEWS.opaque);
  const choosePlaces = async (token: string) => {
    if (readUnverifiedClaims(token) === undefined) return opaque;
    return (await signatures.include(token)) ? signed : webToken;
  };
  return async (token, { renewed, source = '' } = { renewed: false }) => {
    const why = refuteToken(token, audience);
    if (why !== undefined) return { why };
    const review = () => reviewToken(api, token, audience);
    return renewed ? review() : (await choosePlaces(token)).run(source, review);
  };
}

async function reviewToken(api: KubernetesApi, token: string, audience: string): Promise<Identity | InvalidToken> {
  try {
    const signal = AbortSignal.timeout(REVIEW_MILLISECONDS);
    const review = await api.create<TokenReview>(PATH, makeReview(token, audience), { signal });
    return readReview(review, token, audience);
  } catch (e) {
    throw new IdentityUnavailableError('Cannot verify a token: the API server is not responding', { cause: e });
  }
}

interface TokenReview {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly audiences?: readonly string[];
    readonly user?: {
      readonly username?: string;
      readonly groups?: readonly string[];
      readonly uid?: string;
      readonly extra?: object;
    };
  };
}

function makeReview(token: string, audience: string): object {
  return { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences: [audience] } };
}

function readReview({ status = {} }: TokenReview, token: string, audience: string): Identity | InvalidToken {
  const { authenticated = false, audiences = [], user = {} } = status;
  const { username: name, groups = [], uid, extra } = user;
  if (!authenticated || name === undefined)
    return { why: `the cluster does not accept it (it has expired, or it is not for the audience "${audience}")` };
  // An authenticator without audiences returns none. Its tokens are for anything, so they are not for this service.
  if (!audiences.includes(audience)) return { why: `it is not for the audience "${audience}"` };
  const kind = name.startsWith('system:serviceaccount:') ? 'service_principal' : 'user';
  return {
    caller: { name, kind, groups },
    reviewed: { user: name, groups, ...(uid !== undefined && { uid }), ...(extra && { extra }) },
    expires: readExpiry(readUnverifiedClaims(token)?.['exp']),
  };
}
