import type { Diagnostic } from '../../schemas/diagnostic.ts';
import { describeCase, type Proof } from '../../schemas/lock/proof.ts';
import { applyPolicy, HIDDEN_PREDICTION, type ResolvedPolicy } from '../policy.ts';
import { explainNetwork, listUnreached, nameServices, reportFailedServices } from '../network/explain-network.ts';
import { joinHints, locateProblem, type ModelProblem, type Subject } from '../subject.ts';

/**
 * Reports a model that was only loaded: it refuses the input that was made from its signature, or it needs the network,
 * which a proof does not have. Also reports the services that did not answer it.
 */
export function checkCases(
  subject: Subject,
  { cases, network, asked }: Pick<Proof, 'cases' | 'network' | 'asked'>,
  { missingExample, showPredictions }: Pick<ResolvedPolicy, 'missingExample' | 'showPredictions'>,
): readonly Diagnostic[] {
  const problems = cases
    .flatMap((found) => {
      if (found.failure === undefined) return [];
      // The author has no other sign that the example was not predicted, so it is never ignored.
      const isExample = found.origin !== 'signature';
      const severity = isExample && missingExample === 'ignore' ? 'warning' : missingExample;
      return applyPolicy(
        severity,
        explainLoaded(
          subject,
          { ...found, network, asked: showPredictions ? asked : [] },
          showPredictions ? found.failure : HIDDEN_PREDICTION,
        ),
      );
    })
    .map((problem) => locateProblem(subject, problem));
  return [...problems, ...reportFailedServices(subject, network)];
}

function explainLoaded(
  subject: Subject,
  found: Proof['cases'][number] & Pick<Proof, 'network' | 'asked'>,
  failure: string,
): Omit<ModelProblem, 'severity'> {
  const at = { file: 'MLmodel', line: 1, column: 1 };
  const code = found.origin === 'signature' ? 'example-missing' : 'prediction-failed';
  const loaded = `Only loaded ${subject.label}:`;
  if (found.needsNetwork) {
    const unreached = listUnreached(found);
    const needed = unreached.length > 0 ? nameServices(unreached) : 'the network';
    return {
      ...{ code, at },
      message: `${loaded} to predict ${describeCase(found)} it needs ${needed} (${failure}), expected a model that predicts without`,
      hint: joinHints(explainNetwork(subject, found) ?? NO_NETWORK, PREDICTED_LATER),
    };
  }
  return {
    ...{ code, at },
    message: `${loaded} it refuses ${describeCase(found)} (${failure}), expected an input example`,
    hint: 'The model may be right, because the values of such an input are arbitrary',
  };
}

const NO_NETWORK = 'A proof reaches only what validation.network of the endpoint file names and the environment allows';
const PREDICTED_LATER = 'The revision predicts it where it has the network, before it takes traffic';
