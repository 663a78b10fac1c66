import { includes, levelOf } from '../gateway/permissions.ts';
import type { KubernetesApi } from '../kubernetes/api.ts';
import { PERMISSION_LEVELS, type PermissionLevel, type ServingEntry } from '../schemas/serving-entry.ts';
import { type Known, Unavailable } from './identity.ts';
import { type Answer, Remembered } from './remembered.ts';

const PATH = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
const ALLOWED_MILLISECONDS = 60_000;
const REFUSED_MILLISECONDS = 10_000;
const REVIEW_MILLISECONDS = 4000;
const MOST = 50_000;
/** What the cluster's RBAC may say about `endpoints` of this group, strongest first. */
export const ENDPOINTS_GROUP = 'davit.dev';
export const ENDPOINTS_RESOURCE = 'endpoints';
const VERBS = { query: 'CAN_QUERY', get: 'CAN_VIEW' } as const;
type Verb = keyof typeof VERBS;

/** What a caller may do: by the endpoint's own permissions, else by the cluster's RBAC. */
export class Access {
  readonly #api: KubernetesApi;
  readonly #namespace: string;
  readonly #reviews = new Remembered<boolean>(MOST);

  constructor(api: KubernetesApi, namespace: string) {
    this.#api = api;
    this.#namespace = namespace;
  }

  /** The caller's level, asked no further than for `wanted`. Rejects with an Unavailable when the cluster does not say. */
  of(
    known: Known,
    { name, permissions }: ServingEntry,
    wanted: PermissionLevel,
  ): PermissionLevel | undefined | Promise<PermissionLevel | undefined> {
    const level = levelOf(known.caller, permissions);
    if (includes(level, wanted) || known.reviewed === undefined) return level;
    return this.#byCluster(known, name).then((other) => strongest(level, other));
  }

  /** Rights on every endpoint come first: one answer for all of them. */
  async #byCluster(known: Known, endpoint: string): Promise<PermissionLevel | undefined> {
    for (const verb of ['query', 'get'] as const)
      for (const name of [undefined, endpoint]) if (await this.#may(known, verb, name)) return VERBS[verb];
    return undefined;
  }

  #may({ caller, reviewed }: Known, verb: Verb, name: string | undefined): Promise<boolean> {
    const key = JSON.stringify([caller.name, caller.groups, verb, name]);
    return this.#reviews.get(key, async (): Promise<Answer<boolean>> => {
      const review = await this.#ask({ ...reviewed, resourceAttributes: this.#attributes(verb, name) });
      return { value: review, until: Date.now() + (review ? ALLOWED_MILLISECONDS : REFUSED_MILLISECONDS) };
    });
  }

  #attributes(verb: Verb, name: string | undefined): object {
    const endpoints = { group: ENDPOINTS_GROUP, resource: ENDPOINTS_RESOURCE, namespace: this.#namespace };
    return { verb, ...endpoints, ...(name !== undefined && { name }) };
  }

  async #ask(spec: object): Promise<boolean> {
    const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
    try {
      const signal = AbortSignal.timeout(REVIEW_MILLISECONDS);
      const answer = await this.#api.create<{ status?: { allowed?: boolean } }>(PATH, body, { signal });
      return answer.status?.allowed === true;
    } catch (e) {
      throw new Unavailable('Cannot review an access: the API server does not answer', { cause: e });
    }
  }
}

function strongest(a: PermissionLevel | undefined, b: PermissionLevel | undefined): PermissionLevel | undefined {
  const rank = (level: PermissionLevel | undefined) => (level === undefined ? -1 : PERMISSION_LEVELS.indexOf(level));
  return rank(a) >= rank(b) ? a : b;
}
