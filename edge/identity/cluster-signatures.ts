import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import { ALGORITHMS } from './algorithms.ts';
import { CheckUnavailableError } from './identity.ts';
import { SKEW_SECONDS } from './refute-token.ts';
import { SigningKeys } from './signing-keys.ts';

const PATH = '/openid/v1/jwks';
const READ_MILLISECONDS = 2000;
/** Some clusters do not show their keys. Then they are requested again this often. */
const PAUSE_MILLISECONDS = 60_000;
/** The keys are read by their path, so the name of the issuer does not matter. */
const CLUSTER = 'the cluster';

/**
 * Recognises the tokens that the cluster has signed, by its public keys. Only the API server says whether such a token
 * is still valid. A made-up token is not among them, so it never waits in their place.
 */
export class ClusterSignatures {
  readonly #keys: SigningKeys;
  /** Whether the cluster has ever shown its keys. */
  #shown = false;
  #pausedUntil = 0;

  constructor(api: KubernetesApi) {
    this.#keys = new SigningKeys(CLUSTER, async (url) => {
      if (url !== PATH) return { issuer: CLUSTER, jwks_uri: PATH };
      const keys = await api.get(PATH, { signal: AbortSignal.timeout(READ_MILLISECONDS) });
      this.#shown = true;
      return keys;
    });
  }

  /** Whether the cluster has signed the token; false when its keys cannot be read. Never rejects. */
  async include(token: string): Promise<boolean> {
    if (performance.now() < this.#pausedUntil) return false;
    try {
      await this.#keys.verify(token, { algorithms: ALGORITHMS, clockTolerance: SKEW_SECONDS });
      return true;
    } catch (e) {
      if (e instanceof CheckUnavailableError && !this.#shown)
        this.#pausedUntil = performance.now() + PAUSE_MILLISECONDS;
      return false;
    }
  }
}
