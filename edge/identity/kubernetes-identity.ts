import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import {
  type IdentifyCaller,
  type Identity,
  type InvalidToken,
  IdentityUnavailableError,
  TooManyVerificationsError,
} from './identity.ts';
import { readUnverifiedClaims } from './unverified-claims.ts';

const PATH = '/apis/authentication.k8s.io/v1/tokenreviews';
const REVIEW_MILLISECONDS = 4000;
/** A flood of invalid tokens must not flood the API server. */
const MAX_CONCURRENT_REVIEWS = 32;

/** Makes the function that identifies callers through the cluster: a TokenReview for one audience. */
export function makeKubernetesIdentify(api: KubernetesApi, audience: string): IdentifyCaller {
  let asking = 0;
  return async (token, { renewed } = { renewed: false }) => {
    if (!renewed && asking >= MAX_CONCURRENT_REVIEWS)
      throw new TooManyVerificationsError(`Cannot verify a token: ${asking} verifications are already running`);
    asking += 1;
    try {
      const signal = AbortSignal.timeout(REVIEW_MILLISECONDS);
      const review = await api.create<TokenReview>(PATH, makeReview(token, audience), { signal });
      return readReview(review, token, audience);
    } catch (e) {
      throw new IdentityUnavailableError('Cannot verify a token: the API server is not responding', { cause: e });
    } finally {
      asking -= 1;
    }
  };
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
  const { exp } = readUnverifiedClaims(token);
  const kind = name.startsWith('system:serviceaccount:') ? 'service_principal' : 'user';
  return {
    caller: { name, kind, groups },
    reviewed: { user: name, groups, ...(uid !== undefined && { uid }), ...(extra && { extra }) },
    expires: typeof exp === 'number' ? exp * 1000 : undefined,
  };
}
