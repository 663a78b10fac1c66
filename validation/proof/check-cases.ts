import type { Diagnostic } from '../../schemas/diagnostic.ts';
import { describeCase, type Proof } from '../../schemas/lock/proof.ts';
import { applyPolicy, HIDDEN_PREDICTION, type ResolvedPolicy } from '../policy.ts';
import { isNetworkFailure } from './network-failure.ts';
import { locateProblem, type Subject } from '../subject.ts';

/**
 * Reports a model that was only loaded: it refuses the input that was made from its signature, or it needs the network,
 * which a proof does not have.
 */
export function checkCases(
  subject: Subject,
  { cases }: Pick<Proof, 'cases'>,
  { missingExample, showPredictions }: Pick<ResolvedPolicy, 'missingExample' | 'showPredictions'>,
): readonly Diagnostic[] {
  const at = { file: 'MLmodel', line: 1, column: 1 };
  return cases
    .flatMap((found) => {
      const { failure } = found;
      if (failure === undefined) return [];
      const needsNetwork = isNetworkFailure({ kind: '', message: failure });
      const shown = showPredictions ? failure : HIDDEN_PREDICTION;
      return applyPolicy(missingExample, {
        code: needsNetwork ? 'prediction-failed' : 'example-missing',
        message: needsNetwork
          ? `Loaded ${subject.label}, not asked: to predict ${describeCase(found)} it needs the network (${shown}), expected a model that predicts without`
          : `Loaded ${subject.label}, not asked: it refuses an input made from its signature (${shown}), expected an input example`,
        hint: needsNetwork
          ? 'A proof has no network. The revision is asked where it has one, before it takes traffic'
          : 'The model may be right, because the values of such an input are arbitrary',
        at,
      });
    })
    .map((problem) => locateProblem(subject, problem));
}
