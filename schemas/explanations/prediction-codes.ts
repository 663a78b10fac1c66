import type { Explanation } from './explanation.ts';

/** Codes about running a model, for its proof and on a server. */
export const PREDICTION_CODES = {
  'sandbox-missing': {
    stage: 'proof',
    means:
      'The code of a model runs only without rights, network and your files, and this machine offers no sandbox for that: bubblewrap is not installed, or the system forbids it user namespaces.',
    example: {
      code: { language: 'sh', text: 'npx davit validate iris' },
      command: 'davit validate iris',
      says: 'endpoints/iris.yaml:4:7 error sandbox-missing Cannot prove iris 2: its code runs only in a sandbox, and bubblewrap (bwrap) is not installed',
    },
    repair:
      'Install it: `apt-get install bubblewrap` or `dnf install bubblewrap`; on Ubuntu 24.04 and newer see [security](../security.md) for AppArmor. For a model of your own on your own machine, `--without-sandbox` runs it with your rights.',
    check: 'davit doctor',
  },
  'import-failed': {
    stage: 'load',
    means:
      'The model needs a module that no requirement provides, a shared library that this machine lacks, or a module of your own code that was not logged with the model. It worked in the notebook because the module was installed there.',
    example: {
      code: {
        language: 'python',
        text: 'import seaborn  # used in predict(), absent in pip_requirements\n\nmlflow.pyfunc.log_model(name="model", python_model=Model(), pip_requirements=["pandas==3.1.1"])',
      },
      command: 'davit validate iris',
      says: 'endpoints/iris.yaml:4:7 error import-failed Cannot import what iris 2 needs: module "seaborn" is not installed: no requirement provides it',
    },
    repair: [
      'By the kind of module:',
      '- a public package: add it with its version to `davit.served_entities.NAME.requirements.add` and lock again, or log the model with `extra_pip_requirements`',
      '- your own code: log the model with `code_paths=["path/to/package"]`',
      '- a private package: publish it in an index (UV_INDEX), or log its wheel in `code_paths`',
      '- a library of the system (`libGL.so.1`): the hint names its package; for Kubernetes, name it in `images.packages` of the environment too',
    ].join('\n'),
  },
  'load-failed': {
    stage: 'load',
    means:
      'Python could import everything, but `load_model` or `load_context` raised an error, crashed or ended the process. The hint has the line of your code.',
    example: {
      code: {
        language: 'python',
        text: 'def load_context(self, context):\n    self.model = joblib.load("/dbfs/models/iris.pkl")  # exists only where the model was trained',
      },
      command: 'davit validate iris',
      says: "endpoints/iris.yaml:4:7 error load-failed Cannot load iris 2: FileNotFoundError: [Errno 2] No such file or directory: '/dbfs/models/iris.pkl'",
    },
    repair:
      'Read files through `context.artifacts` and log them with `artifacts={…}`; set environment variables in `environment_vars`; do not download at loading, because a model loads again at every restart. To try the model alone: `npx davit validate --model PATH`.',
  },
  'network-not-allowed': {
    stage: 'predict',
    means: [
      'The endpoint file names a service that the model calls (`validation.network`). Its author alone must not decide what code of strangers reaches from a machine of yours, so somebody else allows it:',
      '- `npx davit validate`, `up` and `requirements` ask `policy.network` of their [environment](../environments.md), as its file is on this machine, and no other branch.',
      '- A review asks `policy.network` of each of its environments, also as the base branch has it. All of them allow the service, or else the endpoint file on the base branch names it.',
      '- `localhost`, and addresses of the machine that validates, of its link and of the metadata of a cloud, need `policy.network`, also in a review.',
      '- The run of a fork or of Dependabot gets no service, because nobody has reviewed its code.',
      '',
      'The proof goes on without the service. If the model cannot predict its own example then, it is only loaded.',
    ].join('\n'),
    example: {
      code: {
        language: 'yaml',
        text: 'davit:\n  served_entities:\n    iris-2:\n      validation: { network: [api.example.com:443] }',
      },
      command: 'davit validate iris',
      says: 'endpoints/iris.yaml:9:32 warning network-not-allowed Cannot let iris 2 reach api.example.com:443 in its proof: policy.network of environments/local.yaml does not have it, expected it there',
    },
    repair: [
      'By where the warning is:',
      '- `npx davit validate`, `up` or `requirements`: add the address to `policy.network` in the file that the message names. `environments/local.yaml` may be a new file, with `name: local` and `target: local`.',
      '- a review: add it to the files that the message names, and merge that first. Or merge the endpoint file as it is: the next review allows what the base branch names. Only a review does: `npx davit validate` warns until the environment has the address.',
      '- a fork or Dependabot: a maintainer who has read the code pushes it to a branch of the repository ([Forks](../pull-requests.md#forks)).',
      '',
      'A service that only reads what the model sends is safest: the model can send it all that it sees. See [A model that calls a service](../models.md#a-model-that-calls-a-service).',
    ].join('\n'),
    check: ['davit validate iris', 'davit review iris'],
  },
  'service-unreachable': {
    stage: 'predict',
    means:
      'The proof may reach the service that `validation.network` names, but this machine could not connect to it: its name is wrong (`ENOTFOUND`), it refuses connections (`ECONNREFUSED`), or it does not answer in ten seconds (`ETIMEDOUT`). A model that handles this is proved without the service, so the proof is not kept and the next run tries again. A model that raises the failed connection is only loaded. Any other exception of the model is an error.',
    example: {
      code: {
        language: 'yaml',
        text: 'davit:\n  served_entities:\n    iris-2:\n      validation: { network: [api.example.com:443] }',
      },
      command: 'davit validate iris',
      says: 'endpoints/iris.yaml:9:32 warning service-unreachable The proof of iris 2 could not reach api.example.com:443 (ENOTFOUND)',
    },
    repair: 'Correct the address in `validation.network`, or start the service, and run the command again.',
  },
  'prediction-failed': {
    stage: 'predict',
    means:
      'The model loads but fails on the example that was saved with it, so it would fail on requests like it. The hint has the line of your code. A model that cannot predict its own example because its proof does not reach a service is reported as "only loaded", as a warning, which `policy.missing_example` of an [environment](../environments.md) can make an error. A validation case of the endpoint file that needs the network is an error.',
    example: {
      code: {
        language: 'python',
        text: 'def predict(self, context, model_input):\n    return model_input["petal_width"] * 2  # the example has "petal width (cm)"',
      },
      command: 'davit validate iris',
      says: "endpoints/iris.yaml:4:7 error prediction-failed Cannot predict with iris 2: its input example raises KeyError: 'petal_width'",
    },
    repair:
      'Make the example and `predict` fit each other, and log the model again. If only the example is wrong, `davit.served_entities.NAME.validation` of the endpoint file replaces it by an `input_data` of yours. The same call locally: `mlflow.models.predict(model_uri, input_data, env_manager="uv")`. Models are proved without network, or with the services that `validation.network` names: if an answer needs one, see [A model that calls a service](../models.md#a-model-that-calls-a-service).',
  },
  'output-mismatch': {
    stage: 'predict',
    means:
      'The prediction has other columns, another type or another shape than the signature promises to clients, or it has a value that JSON cannot represent, such as NaN.',
    example: {
      code: {
        language: 'python',
        text: 'signature = infer_signature(example, pd.DataFrame({"score": [1.0]}))\n\n\ndef predict(self, context, model_input):\n    return pd.DataFrame({"score": ["high"] * len(model_input)})',
      },
      command: 'davit validate iris',
      says: 'endpoints/iris.yaml:4:7 error output-mismatch Cannot serve iris 2: its prediction does not match its signature: column "score": expected double, found string "high" in row 0',
    },
    repair:
      'Infer the signature from a real prediction: `infer_signature(example, model.predict(example))`. For NaN, return null, or set `davit.served_entities.NAME.nan: null`.',
  },
  'time-limit': {
    stage: 'predict',
    means:
      'Loading and predicting the example took longer than allowed. A request that takes longer than `time_limit_seconds` (default 120) is answered with an error.',
    example: {
      code: { language: 'python', text: 'def predict(self, context, model_input):\n    time.sleep(300)' },
      command: 'davit validate iris',
      says: 'endpoints/iris.yaml:4:7 error time-limit Cannot serve iris 2: its prediction took 300.0 s, expected at most 120 s',
    },
    repair:
      'Raise `davit.served_entities.NAME.time_limit_seconds`, use a smaller example, or make the model faster: load what is large once in `load_context`, not in `predict`.',
  },
  'memory-limit': {
    stage: 'load',
    means: [
      'The model needs more memory than one replica has: 4 GiB per unit of concurrency on CPU. If each worker loads the model, the sum counts.',
      '',
      "Before anything is installed, the sizes of the model's files are compared with that memory. It is an error if a pickle alone is larger, because it is loaded as a whole, and a warning if all files together have more than two thirds of it. The proof then measures the memory.",
    ].join('\n'),
    example: {
      code: { language: 'yaml', text: '- entity_name: large\n  entity_version: "1"\n  workload_size: Small' },
      command: 'davit validate large',
      says: 'endpoints/large.yaml:4:7 error memory-limit Cannot serve large 1: it needs more memory than its 4 GiB',
    },
    repair:
      'Choose a larger `workload_type` (CPU_MEDIUM, CPU_LARGE), fewer workers (`davit.served_entities.NAME.workers: shared` or `one`), or a smaller model (float32 instead of float64, fewer trees).',
    check: 'davit validate large',
  },
  'library-missing': {
    stage: 'load',
    means: [
      'The proof runs on this machine, and the model has loaded a shared library of its system. Images have another system: `python:3.11-slim` has only what Python itself needs. If the base image certainly lacks a library that a file of a package needs, it is an error.',
      '',
      'It is a warning if the contents of the base image are not known, because it is not `python:3.X-slim` with its tag, or if the library was opened by its name, which a package may try without needing it. Nothing is said for local environments.',
    ].join('\n'),
    example: {
      code: {
        language: 'yaml',
        text: `images:\n  bases:\n    "3.11": docker.io/library/python:3.11-slim@sha256:${'0'.repeat(64)}`,
      },
      command: 'davit up iris --env production',
      says: 'endpoints/iris.yaml:4:7 error library-missing Cannot load "iris-2" without the library libgomp.so.1: lightgbm/lib/lib_lightgbm.so needs it, and the base image docker.io/library/python:3.11-slim of environment "production" lacks it',
    },
    repair: [
      'Name its Debian package in `images.packages` of the environment file, and every image gets it over its base image:',
      '',
      '```yaml',
      'images:',
      '  packages: [libgomp1]',
      '```',
      '',
      'If the build has no network, use a base image of your own that has the library. If a warning is about a library that your base image has, name the package all the same: its installation changes nothing.',
    ].join('\n'),
  },
  'revision-failed': {
    stage: 'route',
    means:
      'The new version does not become ready, so no traffic was moved: the version before keeps serving. The message says at which stage it stopped: pulling the image, scheduling, loading, predicting.',
    example: {
      code: { language: 'sh', text: 'npx davit up iris --env production' },
      command: 'davit up iris --env production',
      says: 'endpoints/iris.yaml:4:7 error revision-failed Revision iris-2-3f9c2a71d0 does not become ready: No node can run it: 0/3 nodes are available: 3 Insufficient memory',
    },
    repair:
      'Find the sentence of the message in [the debug guide](../diagnostics.md), in the section of its stage: image, schedule, load, predict or route.',
    check: 'davit status iris --env production',
  },
} as const satisfies Readonly<Record<string, Explanation>>;
