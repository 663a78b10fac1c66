import type { PythonOptions } from '../../python/find-uv.ts';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { LockedVirtualenv } from '../../schemas/lock/lock.ts';
import type { CheckedModel } from '../model/check-model.ts';
import type { ResolvedPolicy } from '../policy.ts';
import { locateProblem, type Subject } from '../subject.ts';
import { describeWithdrawn } from './describe-withdrawn.ts';
import { findWithdrawn } from './find-withdrawn.ts';

interface CheckWithdrawnOptions extends PythonOptions {
  readonly policy: Pick<ResolvedPolicy, 'vulnerabilities'>;
  readonly until?: 'lock' | 'fetch';
  readonly asksIndex?: boolean | undefined;
}

/** Queries the index where the policy wants the vulnerabilities of today, else repeats its last answer. */
export async function checkWithdrawn(
  subject: Subject,
  virtualenv: LockedVirtualenv | undefined,
  { requirements }: Pick<CheckedModel, 'requirements'>,
  options: CheckWithdrawnOptions,
): Promise<readonly Diagnostic[]> {
  const { vulnerabilities = 'ignore' } = options.policy;
  const { asksIndex = options.until !== 'lock' && vulnerabilities !== 'ignore' } = options;
  const found = virtualenv && (await findWithdrawn(virtualenv, { ...options, asksIndex }));
  return describeWithdrawn(subject, requirements, found?.packages ?? []).map((p) => locateProblem(subject, p));
}
