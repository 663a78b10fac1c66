import type { Requirement } from '../requirements/parse-requirements.ts';
import type { YankedPackage } from '../requirements/parse-yanked.ts';
import type { ModelProblem, Subject } from '../subject.ts';
import type { WithdrawnPackage } from './query-withdrawn.ts';

/** Warnings about withdrawn versions, on the requirement that names the package, if one does. */
export function describeWithdrawn(
  { label, endpoint, alone }: Subject,
  requirements: readonly Requirement[],
  withdrawn: readonly (YankedPackage & Partial<WithdrawnPackage>)[],
): readonly ModelProblem[] {
  return withdrawn.map(({ name, version, reason, isGone = false }) => {
    const required = requirements.find((r) => r.name === name);
    const at = required?.at;
    const why = isGone ? 'the index no longer has this version' : `its authors have withdrawn this version${reason === undefined ? '' : ` (${reason})`}`; // prettier-ignore
    const upgrade = alone || required?.pin !== undefined ? '' : `, or run npx davit lock --upgrade ${endpoint.name}`;
    return {
      code: 'package-yanked',
      severity: 'warning',
      message: `Found ${name} ${version} in the lock of ${label}: ${why}`,
      hint: `Require another version of ${name}${upgrade}`,
      at: at ?? { file: 'MLmodel', line: 1, column: 1 },
    };
  });
}
