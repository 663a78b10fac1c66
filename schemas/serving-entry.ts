import type { Signature } from './signature.ts';

/** What the authorisation service of a cluster knows of one endpoint: the `endpoint.json` of a ConfigMap of its own. */
export interface ServingEntry {
  /** As clients say it. */
  readonly name: string;
  readonly description: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  /** Where Kourier knows it: `iris-1a2b3c4d.models.svc.cluster.local`. */
  readonly host: string;
  /** In the file's order. */
  readonly entities: readonly ServingEntryEntity[];
  readonly permissions: readonly Permission[];
  readonly rateLimits: readonly RateLimit[];
  readonly routeOptimized: boolean;
}

export interface ServingEntryEntity {
  readonly name: string;
  /** Its own host, whatever the traffic says. */
  readonly host: string;
  /** Name of the Knative Revision that serves it. */
  readonly revision: string;
  readonly modelName: string;
  readonly modelVersion: string;
  readonly workloadType: string;
  readonly concurrency: { readonly min: number; readonly max: number };
  readonly scaleToZero: boolean;
  readonly trafficPercentage: number;
  /** Absent: too large to be kept, or of an entry that a Davit of before has written. */
  readonly signature?: Signature;
}

/** Who may do what with an endpoint; a higher level includes the lower ones. Databricks' access control list. */
export interface Permission {
  readonly principal: Principal;
  readonly level: PermissionLevel;
}

export const PERMISSION_LEVELS = ['CAN_VIEW', 'CAN_QUERY', 'CAN_MANAGE'] as const;
export type PermissionLevel = (typeof PERMISSION_LEVELS)[number];

/** `users` are all who have a valid token. */
export interface Principal {
  readonly kind: 'user' | 'group' | 'service_principal' | 'users';
  readonly name: string;
}

/** Databricks' `ai_gateway.rate_limits[*]`: calls in a minute, for the endpoint or for each of its callers. */
export interface RateLimit {
  readonly calls: number;
  readonly key: 'endpoint' | 'user' | 'user_group' | 'service_principal';
  /** Only this one; undefined: every one of that kind. */
  readonly principal: string | undefined;
  readonly renewalSeconds: number;
}

/** Label that tells the authorisation service which ConfigMaps are its own. */
export const SERVING_ENTRY_LABEL = 'davit.dev/serving-entry';
export const SERVING_ENTRY_KEY = 'endpoint.json';

/** On the ConfigMap of an entry: until this moment (RFC 3339) callers are told to come again, unless it is taken away before. */
export const PAUSED_ANNOTATION = 'davit.dev/paused-until';
