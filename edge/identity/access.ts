import { includesLevel, findPermissionLevel } from '../../serving-api/permissions.ts';
import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import { PERMISSION_LEVELS, type PermissionLevel, type ServingEntry } from '../../schemas/deployment/serving-entry.ts';
import { type Identity, PermissionUnavailableError } from './identity.ts';
import { STALE_MILLISECONDS, StaleAnswerCounter } from './stale-answer-counter.ts';
import { type CachedAnswer, AnswerCache } from './answer-cache.ts';

const PATH = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
const ALLOWED_MILLISECONDS = 60_000;
const REFUSED_MILLISECONDS = 10_000;
const REVIEW_MILLISECONDS = 4000;
const MAX_REVIEWS = 50_000;
/** The cluster's RBAC grants verbs on `endpoints` of this group. VERBS lists them, strongest first. */
export const ENDPOINTS_GROUP = 'davit.dev';
export const ENDPOINTS_RESOURCE = 'endpoints';
const VERBS = { query: 'CAN_QUERY', get: 'CAN_VIEW' } as const;
type Verb = keyof typeof VERBS;

/** A caller's permission level: from the endpoint's own permissions, otherwise from the cluster's RBAC. */
export class Access {
  readonly #api: KubernetesApi;
  readonly #namespace: string;
  readonly #reviews: AnswerCache<boolean>;

  constructor(api: KubernetesApi, namespace: string, kept = new StaleAnswerCounter()) {
    this.#api = api;
    this.#reviews = new AnswerCache(MAX_REVIEWS, () => kept.note());
    this.#namespace = namespace;
  }

  /**
   * The caller's level, checked only as far as `wanted` needs. Rejects with PermissionUnavailableError when the cluster
   * does not answer.
   */
  of(
    identity: Identity,
    { name, permissions }: ServingEntry,
    wanted: PermissionLevel,
  ): PermissionLevel | undefined | Promise<PermissionLevel | undefined> {
    const level = findPermissionLevel(identity.caller, permissions);
    if (includesLevel(level, wanted) || identity.reviewed === undefined) return level;
    return this.#byCluster(identity, name).then((other) => chooseStronger(level, other));
  }

  /** Rights on every endpoint are checked first, because one answer then covers all of them. */
  async #byCluster(identity: Identity, endpoint: string): Promise<PermissionLevel | undefined> {
    for (const verb of ['query', 'get'] as const)
      for (const name of [undefined, endpoint]) if (await this.#may(identity, verb, name)) return VERBS[verb];
    return undefined;
  }

  /** An authorizer may look at everything in a review, so all of it is in the key. */
  #may({ reviewed }: Identity, verb: Verb, name: string | undefined): Promise<boolean> {
    const key = JSON.stringify([reviewed, verb, name]);
    return this.#reviews.get(key, async (): Promise<CachedAnswer<boolean>> => {
      const review = await this.#sendReview({ ...reviewed, resourceAttributes: this.#attributes(verb, name) });
      const now = Date.now();
      const until = now + (review ? ALLOWED_MILLISECONDS : REFUSED_MILLISECONDS);
      return { value: review, until, keptUntil: now + STALE_MILLISECONDS };
    });
  }

  #attributes(verb: Verb, name: string | undefined): object {
    const endpoints = { group: ENDPOINTS_GROUP, resource: ENDPOINTS_RESOURCE, namespace: this.#namespace };
    return { verb, ...endpoints, ...(name !== undefined && { name }) };
  }

  async #sendReview(spec: object): Promise<boolean> {
    const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
    try {
      const signal = AbortSignal.timeout(REVIEW_MILLISECONDS);
      const answer = await this.#api.create<{ status?: { allowed?: boolean } }>(PATH, body, { signal });
      return answer.status?.allowed === true;
    } catch (e) {
      throw new PermissionUnavailableError('Cannot check a permission: the API server is not responding', { cause: e });
    }
  }
}

function chooseStronger(a: PermissionLevel | undefined, b: PermissionLevel | undefined): PermissionLevel | undefined {
  const rank = (level: PermissionLevel | undefined) => (level === undefined ? -1 : PERMISSION_LEVELS.indexOf(level));
  return rank(a) >= rank(b) ? a : b;
}
