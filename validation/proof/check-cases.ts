import type { Diagnostic } from '../../schemas/diagnostic.ts';
import { describeCase, type Proof } from '../../schemas/lock/proof.ts';
<<<<<<< HEAD
import { applyPolicy, type ResolvedPolicy } from '../policy.ts';
import { locateProblem, type ModelProblem, type Subject } from '../subject.ts';
=======
import { applyPolicy, HIDDEN_PREDICTION, type ResolvedPolicy } from '../policy.ts';
import { isNetworkFailure } from './network-failure.ts';
import { locateProblem, type Subject } from '../subject.ts';
>>>>>>> f086b7e456f7164fb50feb23f1a2bf41739e486e

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
<<<<<<< HEAD
      if (found.failure === undefined) return [];
      // The author has no other sign that the example was not predicted, so it is never ignored.
      const isExample = found.origin !== 'signature';
      const severity = isExample && missingExample === 'ignore' ? 'warning' : missingExample;
      return applyPolicy(severity, explainLoaded(subject, found, found.failure));
=======
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
>>>>>>> f086b7e456f7164fb50feb23f1a2bf41739e486e
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
