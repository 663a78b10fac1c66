import type { Signature } from '../schemas/signature.ts';
import type { Permission, PermissionLevel, RateLimit } from '../schemas/serving-entry.ts';

/** What the management API shows of an endpoint; every target can say this much. */
export interface ServedEndpoint {
  readonly name: string;
  readonly description: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly updated: number;
  /** Grows by one with each switch. */
  readonly configVersion: number;
  /** What takes requests now, in the file's order. */
  readonly entities: readonly ServedEntity[];
  /** What is on its way, or failed on it. */
  readonly pending: readonly ServedEntity[];
  readonly routeOptimized: boolean;
  readonly rateLimits: readonly RateLimit[];
  readonly permissions: readonly Permission[];
  /** Stopped on purpose: queries are refused. */
  readonly stopped: boolean;
}

/** What the answer depends on besides the endpoint. */
export interface Seen {
  /** The gateway's own address. */
  readonly url: string;
  /** What who asks may do. */
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
  /** Undefined: nothing is known of it, or it is on its way. */
  readonly signature: Signature | undefined;
  readonly state: 'creating' | 'ready' | 'recovering' | 'failed';
  readonly message: string;
}
