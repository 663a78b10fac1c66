import type { Diagnostic } from '../../schemas/diagnostic.ts';
import { describeCase, type Proof } from '../../schemas/lock/proof.ts';
import { applyPolicy, HIDDEN_PREDICTION, type ResolvedPolicy } from '../policy.ts';
import { locateProblem, type ModelProblem, type Subject } from '../subject.ts';

/**
 * Reports a model that was only loaded: it refuses the input that was made from its signature, or it needs the network,
 * which a proof does not have.
 */
export function checkCases(
  subject: Subject,
  { cases }: Pick<Proof, 'cases'>,
  { missingExample, showPredictions }: Pick<ResolvedPolicy, 'missingExample' | 'showPredictions'>,
): readonly Diagnostic[] {
  return cases
    .flatMap((found) => {
      if (found.failure === undefined) return [];
      // The author has no other sign that the example was not predicted, so it is never ignored.
      const isExample = found.origin !== 'signature';
      const severity = isExample && missingExample === 'ignore' ? 'warning' : missingExample;
      return applyPolicy(severity, explainLoaded(subject, found, showPredictions ? found.failure : HIDDEN_PREDICTION));
    })
    .map((problem) => locateProblem(subject, problem));
}

function explainLoaded(
  subject: Subject,
  found: Proof['cases'][number],
  failure: string,
): Omit<ModelProblem, 'severity'> {
  const at = { file: 'MLmodel', line: 1, column: 1 };
  const code = found.origin === 'signature' ? 'example-missing' : 'prediction-failed';
  const loaded = `Loaded ${subject.label}, not asked:`;
  if (found.needsNetwork)
    return {
      ...{ code, at },
      message: `${loaded} to predict ${describeCase(found)} it needs the network (${failure}), expected a model that predicts without`,
      hint: 'A proof has no network. The revision is asked where it has one, before it takes traffic',
    };
  return {
    ...{ code, at },
    message: `${loaded} it refuses ${describeCase(found)} (${failure}), expected an input example`,
    hint: 'The model may be right, because the values of such an input are arbitrary',
  };
}
