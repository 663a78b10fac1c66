import { normalizePackageName } from '../../python/normalize-package-name.ts';
import { type CondaTwin, listCondaTwins } from './conda-twins.ts';
import { explainUnreadable } from './explain-line.ts';
import { maskSecrets } from '../../schemas/values/mask-secrets.ts';
import { parseCondaName } from './parse-conda-name.ts';
import { parseRequirement, type Requirement } from './parse-requirements.ts';
import { isPythonEdit } from '../model/choose-python.ts';
import type { Model } from '../model/read-model.ts';
import type { ModelProblem, Subject } from '../subject.ts';

export interface EditedRequirements {
  /** Also those that replace conda packages. */
  readonly requirements: readonly Requirement[];
  readonly twins: readonly CondaTwin[];
  readonly problems: readonly ModelProblem[];
}

/** The names of what a model requires: of its requirements, and of those that replace conda packages. */
export function listModelNames(model: Model): ReadonlySet<string> {
  const twins = listCondaTwins(model, { taken: new Set(), removed: new Set() });
  return new Set([...model.requirements, ...twins.map((t) => t.requirement)].map((r) => r.name));
}

/** Source location for problems with the endpoint's edits, which placeProblem reports on the entity. */
const ENTITY_LOCATION = { file: 'MLmodel', line: 1, column: 1 };

/**
 * Applies the endpoint's edits to the model's requirements and to its conda packages that pip has too. `add` replaces a
 * requirement that has the same name.
 */
export function editRequirements({ entity, label }: Subject, model: Model): EditedRequirements {
  const { remove } = entity.requirementEdits;
  const add = entity.requirementEdits.add.filter((line) => !isPythonEdit(line));
  const problems: ModelProblem[] = [];
  const wrong = (message: string, hint?: string) =>
    problems.push({ code: 'requirement-invalid', severity: 'error', message, hint, at: ENTITY_LOCATION });
  const known = listModelNames(model);
  const conda = new Set(model.conda?.packages.map(parseCondaName));
  const removed = new Set(remove.map(normalizePackageName));
  for (const name of removed)
    if (!known.has(name) && !conda.has(name))
      wrong(
        `Cannot remove "${name}" from the requirements of ${label}: the model does not require it`,
        `Its requirements: ${[...known].join(', ')}`,
      );
  const added = add.flatMap((line) => {
    const requirement = parseRequirement(line, ENTITY_LOCATION);
    if (requirement && !requirement.fault) return requirement;
    const { why, instead } = requirement?.fault ?? explainUnreadable(line);
    const hint = instead === undefined ? undefined : `Write "${instead}"`;
    wrong(`Cannot add "${maskSecrets(line)}" to the requirements of ${label}: ${why}`, hint);
    return [];
  });
  const replaced = new Set(added.map((r) => r.name));
  const kept = model.requirements.filter((r) => !removed.has(r.name) && !replaced.has(r.name));
  const twins = listCondaTwins(model, { taken: new Set([...kept, ...added].map((r) => r.name)), removed });
  return { requirements: [...kept, ...added, ...twins.map((t) => t.requirement)], twins, problems };
}
