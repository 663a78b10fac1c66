import type { Endpoint, Entity } from '../endpoint/endpoint.ts';
import type { Lock } from '../lock/lock.ts';
import type { LockedCase } from '../lock/locked-case.ts';
import { revisionName } from '../values/names.ts';
import { countWorkers } from '../endpoint/count-replicas.ts';
import type { WorkerMode } from '../endpoint/worker-mode.ts';
import { readOwn } from '../values/read-own.ts';

/** One immutable deployed form of an entity. `bounds` can change in place; any other change makes a new revision. */
export interface Revision {
  /** `ENTITY-<10 hex digits>`: a hash of all fields below except `bounds` and the model's `uri`. */
  readonly name: string;
  readonly endpoint: string;
  readonly entity: string;
  readonly model: {
    readonly name: string;
    readonly version: string;
    /** As in the endpoint file, or of the version that an alias meant. Undefined: found by name and version. */
    readonly uri: string | undefined;
    /** `sha256:…` */
    readonly digest: string;
  };
  /** Key in the lock's `virtualenvs`. */
  readonly virtualenv: string;
  readonly environmentVars: Readonly<Record<string, string>>;
  /** Units of concurrency in one replica: 1 to 4. */
  readonly workers: number;
  readonly timeLimitSeconds: number;
  /** As in the endpoint file. Absent: the model server decides. */
  readonly workerMode?: WorkerMode;
  /** Absent: NaN in a response is an error. */
  readonly nan?: 'null';
  /** What the model predicts before it serves. Absent: its own example. */
  readonly cases?: readonly LockedCase[];
  readonly bounds: Bounds;
}

/** Units of concurrency. With `min` 0 and `scaleToZero`, an idle revision stops. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly scaleToZero: boolean;
}

/** Makes the revision that deploys an entity. The lock must contain the entity. */
export function makeRevision(endpoint: Endpoint, entity: Entity, lock: Lock): Revision {
  const locked = readOwn(lock.entities, entity.name);
  if (!locked)
    throw new RangeError(
      `Cannot make a revision of "${entity.name}": the lock of "${endpoint.name}" does not contain it`,
    );
  const content = {
    endpoint: endpoint.name,
    entity: entity.name,
    model: {
      name: entity.model.name,
      version: entity.model.version,
      uri: entity.model.uri,
      digest: locked.model.digest,
    },
    virtualenv: locked.virtualenv,
    environmentVars: entity.environmentVars,
    workers: countWorkers(entity),
    timeLimitSeconds: entity.timeLimitSeconds,
    // Omit unset fields, so that revisions from earlier versions keep their names.
    ...(entity.workerMode !== undefined && { workerMode: entity.workerMode }),
    ...(entity.nan === 'null' && { nan: entity.nan }),
    ...(locked.validation && { cases: locked.validation }),
  };
  return {
    // The name ignores the URI, because the location of a model does not change its content.
    name: revisionName(entity.name, { ...content, model: { ...content.model, uri: undefined } }),
    ...content,
    bounds: { ...entity.concurrency, scaleToZero: entity.scaleToZero },
  };
}
