import type { LockedEntity } from '../schemas/lock.ts';
import type { CheckedModel } from './check-model.ts';
import type { Subject } from './subject.ts';

/** The part of a locked entity that says which model it is. */
export function makeLockedModel({ entity }: Subject, { model, pythonVersion }: CheckedModel): LockedEntity['model'] {
  const { name, version, uri } = entity.model;
  return {
    name,
    version,
    ...(uri !== undefined && { uri }),
    digest: model.digest,
    ...(model.mlflowVersion !== undefined && { mlflow_version: model.mlflowVersion }),
    python_version: pythonVersion,
  };
}

/** What is resolved, as the lock says it; a constraint of the model reads `-c NAME…`. */
export function renderRequirements({ model, requirements }: CheckedModel): readonly string[] {
  const bounds = model.constraints.map((c) => `-c ${c.text}`);
  return [...requirements.map((r) => r.text), ...bounds].sort();
}
