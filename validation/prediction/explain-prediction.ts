import type { Diagnostic } from '../../schemas/diagnostic.ts';
import { explainProof, type ProofContext } from '../proof/explain-proof.ts';
import { makeSubjectError, type Subject } from '../subject.ts';
import { ANSWER_BYTES, PREDICTION_SECONDS, type PredictionRun } from './run-prediction.ts';

const LIMITS = {
  loadSeconds: 0,
  loads: 1,
  predictSeconds: PREDICTION_SECONDS,
  predictions: 1,
  memoryBytes: undefined,
} as const;

const INPUT_HINT =
  'Correct the input: a request has dataframe_split, dataframe_records, instances or inputs; a table has a line with the names of its columns';
const EXAMPLE_HINT = 'If the example is wrong, log the model with an input_example that it can predict';
const RAISED_HINT = 'If the input is wrong, give one that the model can predict';
const LOCAL_HINT = 'Install it for that Python, or leave out --env-manager local';

/** Explains why there is no answer. Returns nothing for a successful prediction. */
export function explainPrediction(
  subject: Subject,
  { document, run, began, sandbox }: PredictionRun,
  { packages, elsewhere, isLocal }: Omit<ProofContext, 'limits'> & { readonly isLocal: boolean },
): readonly Diagnostic[] {
  const { label } = subject;
  const wrong = (message: string, hint?: string) => [makeSubjectError(subject, 'prediction-failed', message, hint)];
  if (typeof document?.answer === 'string' && !document.failed) return [];
  if (document?.refused != null)
    return wrong(`Cannot predict with ${label}: it rejects the input: ${document.refused}`, INPUT_HINT);
  if (run.stopped === 'output')
    return wrong(
      `Cannot predict with ${label}: its answer and its output exceed ${ANSWER_BYTES >> 20} MiB`,
      'Predict fewer rows at once',
    );
  const proof = document && { ...document, warnings: [], libraries: [], cases: [] };
  const found = explainProof(
    subject,
    { document: proof, run, began, sandbox },
    { limits: LIMITS, packages, elsewhere },
  );
  if (found.length === 0) return wrong(`Cannot predict with ${label}: it gave no answer`);
  return found.map((diagnostic) => renameProof(diagnostic, isLocal));
}

/** The explanations of a proof, in the words of a prediction. */
function renameProof(diagnostic: Diagnostic, isLocal: boolean): Diagnostic {
  const message = diagnostic.message
    .replace(/^Cannot (?:prove|serve) /, 'Cannot predict with ')
    .replace('its input example', 'the input')
    .replace(': no requirement provides it', isLocal ? ' for the Python of this shell' : '$&');
  if (isLocal && diagnostic.code === 'import-failed') return { ...diagnostic, message, hint: LOCAL_HINT };
  const hint = diagnostic.hint?.replace(EXAMPLE_HINT, RAISED_HINT);
  return { ...diagnostic, message, ...(hint !== undefined && { hint }) };
}
