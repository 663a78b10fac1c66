import type { Signature } from '../schemas/lock/signature.ts';
import type { Permission, PermissionLevel, RateLimit } from '../schemas/deployment/serving-entry.ts';

/** The data of an endpoint that the management API shows. Every target provides all of it. */
export interface ServedEndpoint {
  readonly name: string;
  readonly description: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly updated: number;
  /** Incremented with each change of the route. */
  readonly configVersion: number;
  /** Entities that receive requests now, in the order of the endpoint file. */
  readonly entities: readonly ServedEntity[];
  /** Entities of an update that has not finished or has failed. */
  readonly pending: readonly ServedEntity[];
  readonly routeOptimized: boolean;
  readonly rateLimits: readonly RateLimit[];
  readonly permissions: readonly Permission[];
  /** Whether a user stopped the endpoint. The gateway then refuses queries. */
  readonly stopped: boolean;
}

/** Request data that the response depends on, besides the endpoint. */
export interface Viewer {
  /** The gateway's URL. */
  readonly url: string;
  /** The caller's permission level. */
  readonly level: PermissionLevel;
}

export interface ServedEntity {
  readonly name: string;
  readonly modelName: string;
  readonly modelVersion: string;
  readonly workloadType: string;
  readonly trafficPercentage: number;
  readonly concurrency: { readonly min: number; readonly max: number };
  readonly scaleToZero: boolean;
  /** Undefined: the signature is not stored, or the entity is pending. */
  readonly signature: Signature | undefined;
  readonly state: 'creating' | 'ready' | 'recovering' | 'failed';
  readonly message: string;
}
