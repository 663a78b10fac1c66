import type { ModelLoading } from '../../schemas/endpoint/worker-mode.ts';
import type { ReadyState, UpdateState } from '../../schemas/deployment/endpoint-state.ts';

/** The functions of an environment that the verbs need, the same for every target. */
export interface Target {
  /** Makes sure that the environment runs and, the first time, makes a token. */
  readonly openAccess: () => Promise<Access>;
  /** Starts the server processes if they do not run. Absent where something else keeps them running. */
  readonly start?: () => Promise<void>;
  /** Replaces a running supervisor that no longer responds. Absent where only its owner can do that. */
  readonly replaceHanging?: () => Promise<void>;
  /** Makes another token. */
  readonly makeToken: () => Promise<Access>;
  readonly readStatus: () => Promise<EnvironmentStatus>;
  /** Connects for our own queries, for some minutes. */
  readonly connect: () => Promise<Connection>;
  readonly readLogs: (wanted: WantedLogs) => Promise<readonly EntityLog[]>;
}

export interface Access {
  /** For DATABRICKS_HOST: `http://127.0.0.1:8080`. */
  readonly host: string;
  /** Shown once, because it cannot be read again. Undefined when a token already exists. */
  readonly token: string | undefined;
  /** The same as text for a person. */
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
  readonly ready: ReadyState;
  readonly configUpdate: UpdateState;
  readonly url: string | undefined;
  /** Why the endpoint as a whole does not serve, whatever its entities do. */
  readonly message?: string;
  readonly entities: readonly EntityState[];
}

export interface EntityState {
  readonly name: string;
  readonly model: string;
  readonly revision: string;
  /** 0 to 100; undefined: it has no traffic yet. */
  readonly trafficPercentage: number | undefined;
  readonly deployment: string;
  /** Why it is in that state. */
  readonly message: string;
  readonly replicas: number;
  /** How the workers of a replica get the model; undefined: no replica is ready, or the target does not report it. */
  readonly workers: (ModelLoading & { readonly count: number }) | undefined;
  /** Undefined: the target does not count them per entity. */
  readonly inFlight: number | undefined;
}

export interface Connection {
  readonly host: string;
  readonly query: (query: Query) => Promise<Answer>;
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
  /** Whether to read the log of its preparation instead of the server's log. */
  readonly build: boolean;
}

export interface EntityLog {
  readonly entity: string;
  readonly revision: string;
  readonly lines: readonly string[];
}
