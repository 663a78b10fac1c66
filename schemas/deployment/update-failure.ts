/**
 * Why the last update of an endpoint failed: the `failure.json` of a ConfigMap. The next successful update removes it.
 */
export interface UpdateFailure {
  readonly endpoint: string;
  readonly entity: string;
  /** Name of the Knative Revision that did not become ready. It was deleted, so that it uses no capacity. */
  readonly revision: string;
  /** `iris 2` */
  readonly model: string;
  readonly message: string;
  readonly hints: readonly string[];
}

export const UPDATE_FAILURE_LABEL = 'davit.dev/update-failure';
export const UPDATE_FAILURE_KEY = 'failure.json';
