import type { Environment } from '../../schemas/environment/environment.ts';
import type { LocalRouteInputs } from '../../schemas/environment/local-resources.ts';
import type { LockedVirtualenv } from '../../schemas/lock/lock.ts';
import type { Bounds, Revision } from '../../schemas/deployment/revision.ts';
import type { ModelLoading } from '../../schemas/endpoint/worker-mode.ts';

export type Autoscaling = Environment['autoscaling'];

/** `PUT /revisions/NAME`: starts a revision, proves it and keeps it ready. */
export interface PutRevisionRequest {
  readonly revision: Revision;
  readonly autoscaling: Autoscaling;
  readonly virtualenv: LockedVirtualenv;
  /** Folder of the model's files. The supervisor copies them. */
  readonly modelDirectory: string;
}

/** `PATCH /revisions/NAME`: changes settings in place. */
export interface PatchRevisionRequest {
  readonly bounds: Bounds;
  readonly autoscaling: Autoscaling;
}

/** `PUT /endpoints/NAME`: switches the route atomically. */
export type PutRouteRequest = LocalRouteInputs;

/** Why a revision does not serve. */
export interface ServingFailure {
  /** `model`, `virtualenv`, or a stage of the model server: `load`, `predict` … */
  readonly stage: string;
  /** One sentence. */
  readonly message: string;
  /** The last lines of the model server's output. */
  readonly log: readonly string[];
}

/** `idle`: scaled to zero until the next request. `recovering`: too few replicas are ready, and replacements start. */
export type RevisionState = 'starting' | 'ready' | 'idle' | 'recovering' | 'failed' | 'draining';

export interface RevisionStatus {
  readonly name: string;
  readonly endpoint: string;
  readonly entity: string;
  readonly model: { readonly name: string; readonly version: string; readonly digest: string };
  readonly state: RevisionState;
  readonly failure: ServingFailure | undefined;
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
  /** How the workers load the model. Absent until the replica is ready. */
  readonly loading?: ModelLoading | undefined;
}

export interface EndpointStatus {
  readonly name: string;
  readonly description: string;
  readonly tags: LocalRouteInputs['tags'];
  readonly entities: LocalRouteInputs['entities'];
  /** URL for queries. */
  readonly url: string;
  readonly configVersion: number;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly updated: number;
}

export interface GatewayStatus {
  /** `http://127.0.0.1:PORT`. Undefined before the first route. */
  readonly url: string | undefined;
  readonly port: number | undefined;
  /** Why the gateway is not listening although it should. */
  readonly problem: string | undefined;
}

/** `GET /status` */
export interface Status {
  readonly environment: string;
  readonly root: string;
  /** False: no supervisor runs, and this status comes from the durable state. */
  readonly running: boolean;
  readonly pid: number | undefined;
  readonly keeper: number | undefined;
  readonly gateway: GatewayStatus;
  /** Number of valid tokens, without short-lived ones. */
  readonly tokens: number;
  readonly endpoints: readonly EndpointStatus[];
  readonly revisions: readonly RevisionStatus[];
}

/** One line of a response. The last line is a result or an error. */
export type ResponseLine<T> = { readonly progress: string } | { readonly result: T } | { readonly error: ControlError };

export interface ControlError {
  readonly code: 'bad-request' | 'unknown' | 'in-use' | 'not-ready' | 'failed' | 'port-taken' | 'ending' | 'fault';
  readonly message: string;
  /** Only with code `failed`. */
  readonly failure?: ServingFailure;
}

/** The response to a deletion. `ending`: nothing is left to supervise, so the supervisor ends. */
export interface DeletionResult {
  readonly ending: boolean;
}
