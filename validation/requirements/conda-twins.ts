import type { Model } from '../model/read-model.ts';
import { findContradictedVersion } from '../model/check-version-drift.ts';
import { findPipCounterpart } from './conda-names.ts';
import { parseCondaName } from './parse-conda-name.ts';
import { parseRequirement, type Requirement } from './parse-requirements.ts';

/** A conda package, and the requirement that installs the same with pip. */
export interface CondaTwin {
  /** As conda.yaml has it: `scikit-learn=1.5.2`. */
  readonly spec: string;
  readonly requirement: Requirement;
  /** The version that saved the model, if it is installed in place of the one of conda.yaml. */
  readonly saved?: string | undefined;
}

/** Lists the conda packages that certainly have the same content in pip, except those with a requirement of their own.
 * MLflow's virtualenvs have no conda package, so a version with which the model could not be loaded counts as an oversight. */
export function listCondaTwins(
  model: Pick<Model, 'conda' | 'locateConda' | 'flavors'>,
  { taken, removed }: { readonly taken: ReadonlySet<string>; readonly removed: ReadonlySet<string> },
): readonly CondaTwin[] {
  const { conda, locateConda } = model;
  return (conda?.packages ?? []).flatMap((spec, i) => {
    const found = findPipCounterpart(spec);
    if ('none' in found || !found.certain || removed.has(parseCondaName(spec))) return [];
    const at = locateConda(['dependencies', conda?.indices[i] ?? 0]);
    const written = parseRequirement(found.pip, at);
    if (!written || taken.has(written.name) || removed.has(written.name)) return [];
    const saved = findContradictedVersion(model, written);
    const requirement = saved === undefined ? written : parseRequirement(`${written.name}==${saved}`, at);
    return requirement ? [{ spec, requirement, saved }] : [];
  });
}
