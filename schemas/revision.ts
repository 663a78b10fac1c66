import type { Endpoint, Entity } from './endpoint.ts';
import type { Lock } from './lock.ts';
import { revisionName } from './names.ts';
import { workersOf } from './replicas-of.ts';

/** One immutable deployed form of an entity. `bounds` may change while it runs; everything else makes another revision. */
export interface Revision {
  /** `ENTITY-<10 hex digits>` of everything below but the bounds. */
  readonly name: string;
  readonly endpoint: string;
  readonly entity: string;
  readonly model: {
    readonly name: string;
    readonly version: string;
    /** As in the endpoint's file; undefined: found by name and version. */
    readonly uri: string | undefined;
    /** `sha256:…` */
    readonly digest: string;
  };
  /** Key into the lock's `virtualenvs`. */
  readonly virtualenv: string;
  readonly environmentVars: Readonly<Record<string, string>>;
  /** Units of concurrency in one replica: 1 to 4. */
  readonly workers: number;
  readonly timeLimitSeconds: number;
  readonly bounds: Bounds;
}

/** Units of concurrency; `min` 0 with `scaleToZero` means that an idle revision stops. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly scaleToZero: boolean;
}

/** Makes the revision an entity is deployed as. The lock must hold the entity. */
export function makeRevision(endpoint: Endpoint, entity: Entity, lock: Lock): Revision {
  const locked = lock.entities[entity.name];
  if (!locked)
    throw new RangeError(`Cannot make a revision of "${entity.name}": the lock of "${endpoint.name}" does not hold it`);
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
    workers: workersOf(entity),
    timeLimitSeconds: entity.timeLimitSeconds,
  };
  return {
    // Where the model was found does not change what it is.
    name: revisionName(entity.name, { ...content, model: { ...content.model, uri: undefined } }),
    ...content,
    bounds: { ...entity.concurrency, scaleToZero: entity.scaleToZero },
  };
}
