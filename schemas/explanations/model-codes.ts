import { type Explanation, makeIrisFile } from './explanation.ts';

const IRIS = { 'endpoints/iris.yaml': makeIrisFile() };
const MLMODEL = 'models/iris/2/MLmodel';

const FLAVORS = ['flavors:', '  python_function:', '    loader_module: mlflow.sklearn', '    python_version: 3.11.7'];
const SKLEARN = ['  sklearn:', '    sklearn_version: 1.9.1'];
const EXAMPLE = ['saved_input_example_info:', '  artifact_path: input_example.json', '  type: dataframe'];
const OUTPUTS = `  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "str", "shape": [-1]}}]'`;
const SIGNATURE = ['signature:', `  inputs: '[{"type": "double", "name": "width", "required": true}]'`, OUTPUTS];
const makeMlmodel = (...parts: readonly (readonly string[])[]) => [...parts.flat(), ''].join('\n');

/** A model that every static check passes: the other files of the examples' models. */
export const GOOD_MODEL: Readonly<Record<string, string>> = {
  [MLMODEL]: makeMlmodel(FLAVORS, SKLEARN, ['mlflow_version: 3.17.2'], EXAMPLE, SIGNATURE),
  'models/iris/2/input_example.json': '{"columns": ["width"], "data": [[1.5]]}\n',
  'models/iris/2/python_env.yaml': 'python: 3.11.7\ndependencies:\n  - -r requirements.txt\n',
  'models/iris/2/requirements.txt': 'mlflow-skinny==3.17.2\nscikit-learn==1.9.1\n',
};

/** Codes about finding a model and about its files. */
export const MODEL_CODES = {
  'model-not-found': {
    stage: 'fetch',
    means:
      'There is no model where the endpoint says that it is. Without `model_uri` it is the directory models/ENTITY_NAME/ENTITY_VERSION if there is one, else the version of the registry. With `model_uri` it is that path or address. For a registry, the message says what is missing (the model, the version or the alias) and what is there; for an address, why its server does not give it.',
    example: {
      files: IRIS,
      command: 'davit lock iris',
      says: 'endpoints/iris.yaml:4:7 error model-not-found Cannot find the model iris 2: there is no directory models/iris/2',
    },
    repair: [
      'By the message:',
      '- there is no directory: copy the model there, or set `davit.served_entities.NAME.model_uri`. A directory that Git ignores or that Git LFS has not fetched (`git lfs pull`) is not in a checkout',
      '- the model is in a registry: set MLFLOW_TRACKING_URI to the address of your MLflow server, or MLFLOW_REGISTRY_URI to `databricks` or `databricks-uc`',
      '- no model, no version, no alias: the hint has what is there and what nearly matches',
      '- access was denied: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN; for Databricks DATABRICKS_HOST and DATABRICKS_TOKEN. For the store, locally sign in (`databricks auth login`, `aws sso login`, `gcloud auth application-default login`, `az login`, `docker login`); in a workflow, see [pull requests](../pull-requests.md)',
      '- the source is not allowed: add it to DAVIT_MODEL_SOURCES ([security](../security.md))',
      '- no version: write models:/NAME/VERSION or models:/NAME@ALIAS',
    ].join('\n'),
    check: 'davit lock iris',
  },
  'model-unreadable': {
    stage: 'check',
    means:
      'The directory has no MLmodel, or MLmodel is not what MLflow writes. Often `model_uri` names the directory above or below the model, or a Git LFS pointer is there instead of the file.',
    example: {
      files: { ...IRIS, [MLMODEL]: 'version https://git-lfs.github.com/spec/v1\n' },
      command: 'davit lock iris',
      says: 'endpoints/iris.yaml:4:7 error model-unreadable Cannot read the model: MLmodel: Cannot accept "version https://git-lfs.github.com/spec/v1" for the file: expected a map',
    },
    repair:
      'Name the directory that contains MLmodel. For a pointer, run `git lfs pull` (in a workflow: `lfs: true` of actions/checkout). Log the model again if the file is damaged.',
  },
  'flavor-missing': {
    stage: 'check',
    means:
      'A server calls the model through the python_function flavor (pyfunc), and this model has none. `mlflow.FLAVOR.log_model` of most libraries adds it.',
    example: {
      files: { ...IRIS, [MLMODEL]: makeMlmodel(['flavors:', ...SKLEARN], EXAMPLE, SIGNATURE) },
      command: 'davit lock iris',
      says: 'endpoints/iris.yaml:4:7 error flavor-missing Cannot serve iris 2: its flavors are sklearn, expected python_function among them',
    },
    repair:
      'Log the model with a library flavor that supports pyfunc, or wrap it: a class with `predict(self, context, model_input)` that `mlflow.pyfunc.log_model` logs.',
  },
  'signature-missing': {
    stage: 'check',
    means:
      'A model without a signature is served as MLflow serves it: requests are parsed without types, and no answer is checked. Clients get no description of the columns. Unity Catalog requires a signature. `policy.missing_signature` of an [environment](../environments.md) makes this an error, or ignores it.',
    example: {
      files: {
        ...IRIS,
        [MLMODEL]: makeMlmodel(FLAVORS, SKLEARN, EXAMPLE, [...SIGNATURE.slice(0, 2), '  outputs: null']),
      },
      command: 'davit lock iris',
      says: 'endpoints/iris.yaml:4:7 warning signature-missing Found no outputs in the signature of iris 2: answers are not checked, expected both inputs and outputs',
    },
    repair:
      'Log the model with `signature=infer_signature(example, model.predict(example))`. For a model that is logged already: `mlflow.models.set_signature(model_uri, signature)`.',
    changes: [[MLMODEL, '  outputs: null', OUTPUTS]],
  },
  'signature-invalid': {
    stage: 'check',
    means:
      'The signature in MLmodel is not JSON of the form that MLflow writes, so requests cannot be checked against it.',
    example: {
      files: {
        ...IRIS,
        [MLMODEL]: makeMlmodel(FLAVORS, SKLEARN, EXAMPLE, [
          'signature:',
          `  inputs: '[{"type": "float16x"}]'`,
          OUTPUTS,
        ]),
      },
      command: 'davit lock iris',
      says: 'endpoints/iris.yaml:4:7 error signature-invalid Cannot parse the inputs in the signature of iris 2: Invalid option: expected one of "boolean"|"integer"|"long"|"float"|"double"|"string"|"binary"|"datetime"|"array"|"object"|"map"|"any"|"sparkml_vector" at 0.type',
    },
    repair:
      'Do not write the signature by hand: `mlflow.models.set_signature(model_uri, infer_signature(example, predictions))` writes it.',
    changes: [[MLMODEL, '"float16x"', '"float"']],
  },
  'example-missing': {
    stage: 'check',
    means:
      'The proof, the gate before traffic and the start of a server all predict the input example that is saved with the model. Without one, they predict an input that is made from the signature, whose values are arbitrary. Without a signature, or if the model refuses that input, the model is only loaded: the report says "only loaded". `policy.missing_example` of an [environment](../environments.md) makes this an error, or ignores it.',
    example: {
      files: { ...IRIS, [MLMODEL]: makeMlmodel(FLAVORS, SKLEARN, SIGNATURE) },
      command: 'davit lock iris',
      says: 'endpoints/iris.yaml:4:7 warning example-missing Found no input example in iris 2: an input is made from its signature, expected one to predict with',
    },
    repair:
      'Log the model with `input_example=…`: one or two rows that look like a real request. Without logging it again, write such a request into the endpoint file, as `davit.served_entities.NAME.validation` ([models](../models.md)).',
    changes: [[MLMODEL, 'signature:\n', `${EXAMPLE.join('\n')}\nsignature:\n`]],
  },
  'requirements-missing': {
    stage: 'check',
    means:
      'The model says neither which Python it needs (python_env.yaml) nor which packages (requirements.txt, or pip packages in conda.yaml), or none of its packages brings MLflow, which loads it. Old or hand-made models have this fault.',
    example: {
      files: {
        ...IRIS,
        [MLMODEL]: makeMlmodel(FLAVORS.slice(0, 3), SKLEARN, EXAMPLE, SIGNATURE),
        'models/iris/2/python_env.yaml': 'dependencies: []\n',
      },
      command: 'davit lock iris',
      says: 'endpoints/iris.yaml:4:7 error requirements-missing Cannot choose a Python for iris 2: it names no version, expected one in python_env.yaml',
    },
    repair:
      'Log the model again with MLflow 2.10 or newer, which writes both files. Without logging it again: list the packages in `requirements.add` of the endpoint file, and the Python as `python==3.11.7`. If only MLflow is missing, add the version that the hint names. For a model with only uv.lock, the hint has the command that makes requirements.txt.',
    changes: [['models/iris/2/python_env.yaml', 'dependencies', 'python: 3.11.7\ndependencies']],
  },
} as const satisfies Readonly<Record<string, Explanation>>;
