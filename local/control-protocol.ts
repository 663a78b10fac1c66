import type { Environment } from '../schemas/environment.ts';
import type { LocalRouteInputs } from '../schemas/local-resources.ts';
import type { LockedVirtualenv } from '../schemas/lock.ts';
import type { Bounds, Revision } from '../schemas/revision.ts';

export type Autoscaling = Environment['autoscaling'];

/** `PUT /revisions/NAME`: start it, prove it, keep it ready. */
export interface PutRevision {
  readonly revision: Revision;
  readonly autoscaling: Autoscaling;
  readonly virtualenv: LockedVirtualenv;
  /** Where the model's files are now; they are copied. */
  readonly modelDirectory: string;
}

/** `PATCH /revisions/NAME`: what changes in place. */
export interface PatchRevision {
  readonly bounds: Bounds;
  readonly autoscaling: Autoscaling;
}

/** `PUT /endpoints/NAME`: one atomic switch. */
export type PutRoute = LocalRouteInputs;

/** Why a revision does not serve. */
export interface Failure {
  /** `model`, `virtualenv`, or the model server's own word: `load`, `predict` … */
  readonly stage: string;
  /** One sentence. */
  readonly message: string;
  /** The last lines of the model server. */
  readonly log: readonly string[];
}

/** `idle`: scaled to zero, and a request wakes it; `recovering`: it was ready, its replacement starts. */
export type RevisionState = 'starting' | 'ready' | 'idle' | 'recovering' | 'failed' | 'draining';

export interface RevisionStatus {
  readonly name: string;
  readonly endpoint: string;
  readonly entity: string;
  readonly model: { readonly name: string; readonly version: string; readonly digest: string };
  readonly state: RevisionState;
  readonly failure: Failure | undefined;
  readonly bounds: Bounds;
  readonly autoscaling: Autoscaling;
  readonly workers: number;
  readonly replicas: readonly ReplicaStatus[];
  readonly inFlight: number;
  readonly queued: number;
}

export interface ReplicaStatus {
  readonly pid: number | undefined;
  readonly state: 'starting' | 'ready' | 'stopping';
  readonly inFlight: number;
}

export interface EndpointStatus {
  readonly name: string;
  readonly description: string;
  readonly tags: LocalRouteInputs['tags'];
  readonly entities: LocalRouteInputs['entities'];
  /** Where queries go. */
  readonly url: string;
  readonly configVersion: number;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly updated: number;
}

export interface GatewayStatus {
  /** `http://127.0.0.1:PORT`; undefined before the first route. */
  readonly url: string | undefined;
  readonly port: number | undefined;
  /** Why it does not listen, when it should. */
  readonly problem: string | undefined;
}

/** `GET /status` */
export interface Status {
  readonly environment: string;
  readonly root: string;
  /** False: read from the durable state, nothing runs. */
  readonly running: boolean;
  readonly pid: number | undefined;
  readonly keeper: number | undefined;
  readonly gateway: GatewayStatus;
  /** How many tokens open the gateway. */
  readonly tokens: number;
  readonly endpoints: readonly EndpointStatus[];
  readonly revisions: readonly RevisionStatus[];
}

/** One line of a long operation's answer; the last one is a result or an error. */
export type Line<T> = { readonly progress: string } | { readonly result: T } | { readonly error: ControlError };

export interface ControlError {
  readonly code: 'bad-request' | 'unknown' | 'in-use' | 'not-ready' | 'failed' | 'port-taken' | 'ending' | 'fault';
  readonly message: string;
  /** With code `failed`. */
  readonly failure?: Failure;
}

/** The answer to a deletion: whether it was the last thing, so that the supervisor now ends. */
export interface Deleted {
  readonly ending: boolean;
}
