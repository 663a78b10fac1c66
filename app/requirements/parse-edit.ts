import { InvalidParameterError } from '../invalid-parameter.ts';
import { maskSecrets } from '../../schemas/values/mask-secrets.ts';
import { explainUnreadable } from '../../validation/requirements/explain-line.ts';
import { parseRequirement } from '../../validation/requirements/parse-requirements.ts';
import {
  combineRequirements,
  readRequirementName,
  type RequirementsEdit,
} from '../../validation/requirements/editing/plan-list-edit.ts';

export const OPERATIONS = ['add', 'remove'] as const;

const NOWHERE = { file: '', line: 1, column: 1 };

/** Parses what a user wants to add or to remove. A version after a name to remove is ignored, as MLflow does. */
export function parseEdit(operation: (typeof OPERATIONS)[number], lines: readonly string[]): RequirementsEdit {
  const none = { added: [], removed: new Set<string>() };
  if (operation === 'remove') return { ...none, removed: new Set(lines.map(parseName)) };
  const added = lines.map((line) => {
    const requirement = parseRequirement(line.trim(), NOWHERE);
    if (requirement && !requirement.fault) return requirement;
    const { why } = requirement?.fault ?? explainUnreadable(line.trim());
    throw new InvalidParameterError(`Cannot add the requirement "${maskSecrets(line)}": ${why}`);
  });
  const all = combineRequirements(added);
  if ('combined' in all) return { ...none, added: all.combined };
  const [a, b] = all.conflict;
  throw new InvalidParameterError(`Cannot add both "${a.text}" and "${b.text}": expected one version of ${a.name}`);
}

function parseName(line: string): string {
  const name = readRequirementName(line);
  if (name !== undefined && (parseRequirement(line.trim(), NOWHERE) || /^[\w.-]+$/.test(line.trim()))) return name;
  throw new InvalidParameterError(`Cannot remove the requirement "${line}": expected the name of a package`);
}
