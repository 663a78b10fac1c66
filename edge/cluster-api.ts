/** What the service asks of Kubernetes' API server. Paths begin with `/api` or `/apis`. */
export interface ClusterApi {
  /** Rejects when there is no answer, or when it is no success. */
  get(path: string, options?: AskOptions): Promise<unknown>;
  post(path: string, body: object, options?: AskOptions): Promise<unknown>;
  /** An answer that is no JSON: a pod's log. */
  text(path: string, options?: AskOptions): Promise<string>;
  /** Events of a watch until it ends, which is no mistake. */
  watch(path: string, options?: AskOptions): AsyncIterable<WatchEvent>;
}

export interface AskOptions {
  readonly signal?: AbortSignal;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: ClusterObject;
}

/** As much as is known of every object; the rest is for who knows its kind. */
export interface ClusterObject {
  readonly metadata?: {
    readonly name?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly creationTimestamp?: string;
    readonly generation?: number;
    /** Who wrote what, and when. */
    readonly managedFields?: readonly { readonly time?: string }[];
  };
  readonly [field: string]: unknown;
}
