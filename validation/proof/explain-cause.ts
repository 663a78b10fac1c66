import type { Subject } from '../subject.ts';

interface Failure {
  readonly kind: string;
  readonly message: string;
  readonly trace: string | null | undefined;
  /** The model server found a failed connection. */
  readonly needsNetwork: boolean;
  /** What the model asked for, and how a proof reaches it. Undefined: nothing that was seen. */
  readonly network: string | undefined;
}

const NETWORK_HINT =
  'Models are proved without network access: log the model with everything it needs, or name the services in validation.network';

/** Common causes, by what the libraries say, and the repair. */
const CAUSES: readonly (readonly [RegExp, string])[] = [
  [/Read-only file system/, "A model's files are read-only: write to the folder in TMPDIR"],
  [
    /Can't get attribute '[^']*' on <module '(?:__main__|__mp_main__|davit_server[^']*)'/,
    'A pickle names a class or function of the notebook or script that trained the model: move it to a module that is logged with code_paths, or log the model from code',
  ],
  [
    /Found unknown categor|Cannot setitem on a Categorical with a new category|categorical_feature do not match|DataFrame\.dtypes for data must be|pandas dtypes must be int|Found a category not in the training set|previously unseen labels/i,
    'Requests have strings, not the categories of the training: convert the columns in the model (a pyfunc or a pipeline whose encoder has handle_unknown="ignore"), and log an example with values that the training had',
  ],
  [
    /tz-naive|tz-aware|offset-naive|timezone-aware|UTC offset/i,
    "MLflow's type datetime has no time zone: send times as UTC without a zone, or make them comparable in the model (tz_localize, tz_convert)",
  ],
  [
    /Expected 96 from C header, got 88 from PyObject|compiled using NumPy 1\.x cannot be run|_ARRAY_API not found/,
    'The lock has NumPy 2 and a package that was compiled for NumPy 1: require numpy<2, or the version of that package which is for NumPy 2',
  ],
  [
    /numpy\.\w+ size changed|numpy\.core\.multiarray failed to import/,
    'A package was compiled for another NumPy than that of the lock: require the versions of both that the model was trained with',
  ],
  // Drivers of databases raise one class for every failure. This is only a hint, and waives nothing.
  [/temporary failure in name resolution|could not translate host name|network is unreachable/i, NETWORK_HINT],
];

/** Explains common wrong assumptions of a model about its runtime environment. */
export function explainCause({ kind, message, trace, needsNetwork, network }: Failure): string | undefined {
  if (kind === 'KeyError' && /^(?:<frozen os>|os\.py):\d+ in __getitem__/m.test(trace ?? ''))
    return 'It reads an environment variable: set it in environment_vars of the served entity';
  if (needsNetwork) return network ?? NETWORK_HINT;
  return CAUSES.find(([pattern]) => pattern.test(message))?.[1] ?? network;
}

/** MLflow has saved the example without trying it, so the model may be right. */
export function renderExampleHint({ alone, entity, endpoint }: Subject, message: string): string {
  const cause = /'dict'|\bdict\b/.test(message)
    ? 'Without inputs in its signature, the model gets a JSON object as a dict, not as a table. '
    : '';
  const ways = alone
    ? ''
    : `, or add davit.served_entities.${entity.name}.validation with input_data that the model accepts to ${endpoint.file}`;
  return `${cause}If the example is wrong, log the model with an input_example that it can predict${ways}`;
}
