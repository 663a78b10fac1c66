import type { Signature } from '../lock/signature.ts';

/** The data of one endpoint for a cluster's authorisation service: the `endpoint.json` of the endpoint's ConfigMap. */
export interface ServingEntry {
  /** The name that clients use. */
  readonly name: string;
  readonly description: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  /** The endpoint's host in Kourier: `iris-1a2b3c4d.models.svc.cluster.local`. */
  readonly host: string;
  /** In the order of the endpoint file. */
  readonly entities: readonly ServingEntryEntity[];
  readonly permissions: readonly Permission[];
  readonly rateLimits: readonly RateLimit[];
  readonly routeOptimized: boolean;
}

export interface ServingEntryEntity {
  readonly name: string;
  /** Host of this entity alone, whatever its traffic share. */
  readonly host: string;
  /** Name of the Knative Revision that serves this entity. */
  readonly revision: string;
  readonly modelName: string;
  readonly modelVersion: string;
  readonly workloadType: string;
  readonly concurrency: { readonly min: number; readonly max: number };
  readonly scaleToZero: boolean;
  readonly trafficPercentage: number;
  /** Absent: too large to store, or an earlier version of Davit wrote the entry. */
  readonly signature?: Signature;
}

/** One item of a Databricks access control list. A higher level includes the lower ones. */
export interface Permission {
  readonly principal: Principal;
  readonly level: PermissionLevel;
}

export const PERMISSION_LEVELS = ['CAN_VIEW', 'CAN_QUERY', 'CAN_MANAGE'] as const;
export type PermissionLevel = (typeof PERMISSION_LEVELS)[number];

/** `users` matches every caller with a valid token. */
export interface Principal {
  readonly kind: 'user' | 'group' | 'service_principal' | 'users';
  readonly name: string;
}

/** Databricks' `ai_gateway.rate_limits[*]`: calls per minute, for the whole endpoint or for each caller. */
export interface RateLimit {
  readonly calls: number;
  readonly key: 'endpoint' | 'user' | 'user_group' | 'service_principal';
  /** Limits only this principal. Undefined: each principal of that kind. */
  readonly principal: string | undefined;
  readonly renewalSeconds: number;
}

/** Label of the ConfigMaps that the authorisation service reads. */
export const SERVING_ENTRY_LABEL = 'davit.dev/serving-entry';
export const SERVING_ENTRY_KEY = 'endpoint.json';

/** On an entry's ConfigMap: the service asks callers to retry until this time (RFC 3339) or until its removal. */
export const PAUSED_ANNOTATION = 'davit.dev/paused-until';
