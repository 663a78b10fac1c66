import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { Proof } from '../../schemas/lock/proof.ts';
import { applyPolicy, type ResolvedPolicy } from '../policy.ts';
import { locateProblem, type Subject } from '../subject.ts';

/** Reports a model that refuses the input that was made from its signature, so that it was only loaded. */
export function checkCases(
  subject: Subject,
  { cases }: Pick<Proof, 'cases'>,
  { missingExample }: ResolvedPolicy,
): readonly Diagnostic[] {
  const refused = cases.flatMap((c) => c.failure ?? []);
  return refused
    .flatMap((failure) =>
      applyPolicy(missingExample, {
        code: 'example-missing',
        message: `Loaded ${subject.label}, not asked: it refuses an input made from its signature (${failure}), expected an input example`,
        hint: 'The model may be right, because the values of such an input are arbitrary',
        at: { file: 'MLmodel', line: 1, column: 1 },
      }),
    )
    .map((problem) => locateProblem(subject, problem));
}
