import type { LockedEntity } from '../schemas/lock/lock.ts';
import type { CheckedModel } from './model/check-model.ts';
import type { ResolvedVersion } from './model/fetched-model.ts';
import type { Subject } from './subject.ts';

/** Makes the part of a locked entity that identifies the model. */
export function makeLockedModel(
  { entity }: Subject,
  { model, pythonVersion }: CheckedModel,
  resolved?: ResolvedVersion,
): LockedEntity['model'] {
  const { name, version, uri } = entity.model;
  return {
    name,
    // An alias in `model_uri` says nothing about entity_version, which is then a label.
    version: uri === undefined && resolved ? resolved.version : version,
    ...(uri !== undefined && { uri }),
    ...(resolved && { resolved }),
    digest: model.digest,
    ...(model.mlflowVersion !== undefined && { mlflow_version: model.mlflowVersion }),
    python_version: pythonVersion,
  };
}

/** Renders the requirements as in the lock. A constraint of the model has the prefix `-c `. */
export function renderRequirements({ model, requirements }: CheckedModel): readonly string[] {
  const bounds = model.constraints.map((c) => `-c ${c.text}`);
  return [...requirements.map((r) => r.text), ...bounds].sort();
}
