import type { LockedPackage } from '../../../schemas/lock/lock.ts';
import { applyPolicy, type ResolvedPolicy } from '../../policy.ts';
import type { ModelProblem, Subject } from '../../subject.ts';

/** Reports the packages whose wheels Davit builds, because a build runs code of the package wherever it is installed. */
export function checkBuilt(
  { label }: Subject,
  packages: readonly LockedPackage[],
  policy: ResolvedPolicy,
): readonly ModelProblem[] {
  return packages
    .filter((p) => p.built !== undefined)
    .flatMap(({ name, version }) =>
      applyPolicy(policy.builtPackage, {
        code: 'package-built',
        message: `Found ${name} ${version} in the lock of ${label}: Davit builds its wheel from the source distribution, which runs code of the package in the sandbox`,
        hint:
          policy.builtPackage === 'error'
            ? `The policy allows no builds. Log the model with a wheel of ${name} in code_paths, or with a version that has one`
            : 'policy.built_package of an environment allows or forbids it',
        at: { file: 'MLmodel', line: 1, column: 1 },
      }),
    );
}
