/** Why the last update of an endpoint failed: the `failure.json` of a ConfigMap that goes with the next one that succeeds. */
export interface UpdateFailure {
  readonly endpoint: string;
  readonly entity: string;
  /** Of the Knative Revision that did not become ready; it is gone, so that it holds nothing. */
  readonly revision: string;
  /** `iris 2` */
  readonly model: string;
  readonly message: string;
  readonly hints: readonly string[];
}

export const UPDATE_FAILURE_LABEL = 'davit.dev/update-failure';
export const UPDATE_FAILURE_KEY = 'failure.json';
