import type { LockedPackage } from '../../../schemas/lock/lock.ts';
import { applyPolicy, type ResolvedPolicy } from '../../policy.ts';
import { type ModelProblem, nameBuildWheels, type Subject } from '../../subject.ts';

/** Reports the packages whose wheels Davit builds, because a build runs code of the package wherever it is installed. */
export function checkBuilt(
  subject: Subject,
  packages: readonly LockedPackage[],
  policy: ResolvedPolicy,
): readonly ModelProblem[] {
  const { label } = subject;
  const built = packages
    .filter((p) => p.built !== undefined)
    .flatMap(({ name, version, built: { from = '' } = {} }) =>
      applyPolicy(policy.builtPackage, {
        code: 'package-built',
        message: `Found ${name} ${version} in the lock of ${label}: Davit builds its wheel from ${nameSource(from)}, which runs code of the package in the sandbox`,
        hint:
          policy.builtPackage === 'error'
            ? renderRefusalHint(name)
            : 'policy.built_package of an environment allows or forbids it',
        at: { file: 'MLmodel', line: 1, column: 1 },
      }),
    );
  return [...built, ...reportUnused(subject, packages)];
}

/** The commit is shown, because the address is one that the model or the endpoint file has chosen. */
function nameSource(from: string): string {
  return from.startsWith('git+') ? `the commit ${from}` : 'the source distribution';
}

/** A name that no locked package has is a permission to build that nobody sees until a package of that name comes. */
function reportUnused(subject: Subject, packages: readonly LockedPackage[]): readonly ModelProblem[] {
  const inIndex = new Set(packages.filter((p) => p.source === undefined).map((p) => p.name));
  return subject.entity.buildWheels
    .filter((name) => !inIndex.has(name))
    .map((name) => ({
      code: 'package-built',
      severity: 'warning',
      message: `Found ${name} in build_wheels of "${subject.entity.name}": no package of the lock has that name, so the entry only allows builds that nothing needs`,
      hint: `Remove ${name} from ${nameBuildWheels(subject)}`,
      at: { file: 'MLmodel', line: 1, column: 1 },
    }));
}

/** Reports the package that a lock would have to build, where the policy forbids builds. */
export function refuseBuild({ label }: Subject, what: string): ModelProblem {
  return {
    code: 'package-built',
    severity: 'error',
    message: `Cannot lock ${what} for ${label}: its wheel would have to be built from its source, and policy.built_package is "error"`,
    hint: renderRefusalHint(what.split(' ')[0] ?? what),
    at: { file: 'MLmodel', line: 1, column: 1 },
  };
}

function renderRefusalHint(name: string): string {
  return `The policy allows no builds. Log the model with a wheel of ${name} in code_paths, or with a version that has one`;
}
