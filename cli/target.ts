/** What the verbs need of an environment that endpoints are deployed to. The same words for every target. */
export interface Target {
  /** Makes sure that it runs and, the first time, makes a token. */
  readonly openAccess: () => Promise<Access>;
  /** Makes another token. */
  readonly makeToken: () => Promise<Access>;
  readonly readStatus: () => Promise<EnvironmentStatus>;
  /** Opens the way for queries of our own, for some minutes. */
  readonly connect: () => Promise<Connection>;
  readonly readLogs: (wanted: WantedLogs) => Promise<readonly EntityLog[]>;
}

export interface Access {
  /** For DATABRICKS_HOST: `http://127.0.0.1:8080`. */
  readonly host: string;
  /** Shown once: it cannot be read again. Undefined when there is one already. */
  readonly token: string | undefined;
  /** The same for a person. */
  readonly text: string;
}

export interface EnvironmentStatus {
  /** Whether anything runs there. */
  readonly running: boolean;
  readonly host: string | undefined;
  readonly endpoints: readonly EndpointState[];
}

/** State words are Databricks'. */
export interface EndpointState {
  readonly name: string;
  readonly ready: 'READY' | 'NOT_READY';
  readonly configUpdate: 'NOT_UPDATING' | 'IN_PROGRESS' | 'UPDATE_FAILED';
  readonly url: string | undefined;
  readonly entities: readonly EntityState[];
}

export interface EntityState {
  readonly name: string;
  readonly model: string;
  readonly revision: string;
  /** 0 to 100; undefined: it does not take part yet. */
  readonly trafficPercentage: number | undefined;
  readonly deployment: string;
  /** Why it is in that state. */
  readonly message: string;
  readonly replicas: number;
  /** Undefined: the target does not count them one by one. */
  readonly inFlight: number | undefined;
}

export interface Connection {
  readonly host: string;
  readonly ask: (query: Query) => Promise<Answer>;
}

export interface Query {
  readonly endpoint: string;
  readonly entity: string | undefined;
  readonly body: string;
  readonly contentType: string;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly servedModelName: string | undefined;
}

export interface WantedLogs {
  readonly endpoint: string;
  readonly entity: string | undefined;
  readonly lines: number;
  /** What was done to start it, instead of what the server said. */
  readonly build: boolean;
}

export interface EntityLog {
  readonly entity: string;
  readonly revision: string;
  readonly lines: readonly string[];
}
