import type { Place } from './diagnostic.ts';
import type { WORKLOAD_TYPES } from './endpoint-file.ts';
import type { Permission, RateLimit } from './serving-entry.ts';

/** One endpoint file, checked and completed: every default is in it. */
export interface Endpoint {
  readonly name: string;
  /** As the user would type it: `endpoints/iris.yaml`. */
  readonly file: string;
  readonly description: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly entities: readonly Entity[];
  /** Percentages add up to 100; entities without a share are absent. */
  readonly routes: readonly TrafficShare[];
  /** Nobody stands between the edge and the replicas while replicas are up. */
  readonly routeOptimized: boolean;
  readonly permissions: readonly Permission[];
  readonly rateLimits: readonly RateLimit[];
  /** `recreate`: the old revisions end before the new ones start, for hardware that has no room for both. */
  readonly rollout: 'rolling' | 'recreate';
  /** Where each of them is in the file; absent where no file was read. */
  readonly places?: { readonly permissions: readonly Place[]; readonly rateLimits: readonly Place[] };
}

export type WorkloadType = (typeof WORKLOAD_TYPES)[number];

/** A served entity: one model version with its compute. */
export interface Entity {
  readonly name: string;
  readonly model: ModelReference;
  readonly workloadType: WorkloadType;
  /** Requests at a time: `min` are always provided for (0: may stop when idle), at most `max`. */
  readonly concurrency: { readonly min: number; readonly max: number };
  readonly scaleToZero: boolean;
  /** A value may be `{{secrets/scope/key}}`: see secret-reference.ts. */
  readonly environmentVars: Readonly<Record<string, string>>;
  /** AWS role of the model; undefined: none. */
  readonly instanceProfileArn: string | undefined;
  readonly requirementEdits: RequirementEdits;
  readonly timeLimitSeconds: number;
  /** Where the entity begins in its file. */
  readonly place: Place;
}

/** A model by registry name and version; `uri` says where it is when that is not the registry's own place. */
export interface ModelReference {
  readonly name: string;
  readonly version: string;
  readonly uri: string | undefined;
}

/** `add` also replaces a requirement of the same name, as in MLflow's update_model_requirements. */
export interface RequirementEdits {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

export interface TrafficShare {
  readonly entity: string;
  /** 1 to 100. */
  readonly percentage: number;
}
