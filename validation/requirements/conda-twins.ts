import type { Model } from '../model/read-model.ts';
import { findPipCounterpart } from './conda-names.ts';
import { parseCondaName } from './parse-conda-name.ts';
import { parseRequirement, type Requirement } from './parse-requirements.ts';

/** A conda package, and the requirement that installs the same with pip. */
export interface CondaTwin {
  /** As conda.yaml has it: `scikit-learn=1.5.2`. */
  readonly spec: string;
  readonly requirement: Requirement;
}

/** Lists the conda packages that certainly have the same content in pip, except those with a requirement of their own. */
export function listCondaTwins(
  { conda, locateConda }: Pick<Model, 'conda' | 'locateConda'>,
  { taken, removed }: { readonly taken: ReadonlySet<string>; readonly removed: ReadonlySet<string> },
): readonly CondaTwin[] {
  return (conda?.packages ?? []).flatMap((spec, i) => {
    const found = findPipCounterpart(spec);
    if ('none' in found || !found.certain || removed.has(parseCondaName(spec))) return [];
    const requirement = parseRequirement(found.pip, locateConda(['dependencies', conda?.indices[i] ?? 0]));
    return !requirement || taken.has(requirement.name) || removed.has(requirement.name) ? [] : [{ spec, requirement }];
  });
}
