import type { SourceLocation } from '../diagnostic.ts';
import type { WorkloadType } from './workload.ts';
import type { Permission, RateLimit } from '../deployment/serving-entry.ts';
import type { ValidationCase, WantedService } from './validation-cases.ts';
import type { WorkerMode } from './worker-mode.ts';

/** One endpoint file after checks, with every default filled in. */
export interface Endpoint {
  readonly name: string;
  /** The path as the user would type it: `endpoints/iris.yaml`. */
  readonly file: string;
  readonly description: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly entities: readonly Entity[];
  /** The percentages add up to 100. Entities without traffic are absent. */
  readonly routes: readonly TrafficShare[];
  /** On Kubernetes, requests bypass Knative's activator while replicas are running. */
  readonly routeOptimized: boolean;
  readonly permissions: readonly Permission[];
  readonly rateLimits: readonly RateLimit[];
  /** `recreate` stops the old revisions before it starts the new ones, for hardware that cannot hold both. */
  readonly rollout: 'rolling' | 'recreate';
  /** Why a change may break clients. Absent: it must not. */
  readonly breaking?: string;
  /** Source locations of the list items. Absent if the endpoint does not come from a file. */
  readonly places?: { readonly permissions: readonly SourceLocation[]; readonly rateLimits: readonly SourceLocation[] };
}

/** A served entity: one model version with its compute. */
export interface Entity {
  readonly name: string;
  readonly model: ModelReference;
  readonly workloadType: WorkloadType;
  /** Concurrent requests: capacity for `min` is always provided (0: may stop when idle), and for `max` at most. */
  readonly concurrency: { readonly min: number; readonly max: number };
  readonly scaleToZero: boolean;
  /** A value can be `{{secrets/scope/key}}`; see secret-reference.ts. */
  readonly environmentVars: Readonly<Record<string, string>>;
  /** AWS role of the model; undefined: none. */
  readonly instanceProfileArn: string | undefined;
  readonly requirementEdits: RequirementEdits;
  /** Normalised names of the packages whose wheels Davit builds from their source distributions. */
  readonly buildWheels: readonly string[];
  readonly timeLimitSeconds: number;
  /** How workers load the model. Undefined: the model server inspects the loaded model and decides. */
  readonly workerMode: WorkerMode | undefined;
  /** How to return NaN and infinities, which JSON cannot represent. */
  readonly nan: 'error' | 'null';
  /** What the model predicts in its proof and before it serves. Empty: its own example. */
  readonly validation: readonly ValidationCase[];
  /** The services that it asks to reach in its proof. Absent: none. */
  readonly network?: readonly WantedService[];
  /** Source location of the entity. */
  readonly place: SourceLocation;
  /** Source locations of what names the model. Absent: the entity does not come from a file. */
  readonly modelPlaces?: { readonly name: SourceLocation; readonly version: SourceLocation };
}

/** A registered model by name and version. `uri` overrides the default location of the model. */
export interface ModelReference {
  readonly name: string;
  /** A number, the name of a local model's folder, or what the lock resolves: `@champion`, `latest` or a stage. */
  readonly version: string;
  readonly uri: string | undefined;
}

/** `add` replaces a requirement that has the same name, as MLflow's update_model_requirements does. */
export interface RequirementEdits {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

export interface TrafficShare {
  readonly entity: string;
  /** 1 to 100. */
  readonly percentage: number;
}
