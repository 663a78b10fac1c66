import { type Explanation, makeIrisFile } from './explanation.ts';

const IRIS = 'endpoints/iris.yaml';

/** Codes about the registry that a model comes from. */
export const REGISTRY_CODES = {
  'model-pending': {
    stage: 'fetch',
    means:
      'The registry knows the model, but the version is being registered (PENDING_REGISTRATION), or it has a higher number than all that the registry has: it may be registered later, have been deleted, or be a slip. The review says "waiting for the model" for this endpoint and continues with the others.',
    example: {
      code: {
        language: 'yaml',
        text: 'name: iris\nconfig:\n  served_entities:\n    - entity_name: iris\n      entity_version: "4"',
      },
      command: 'davit lock iris',
      says: 'endpoints/iris.yaml:5:23 error model-pending Cannot fetch iris 4: iris has no version 4; its versions are 1, 2, 3',
    },
    repair:
      'Register the version, or wait until the registry says READY, and run the command or the workflow again. If the number is wrong, write one of those that the message names.',
    check: 'davit lock iris',
  },
  'credentials-withheld': {
    stage: 'fetch',
    means:
      'The registry of the model, or an index of its packages, needs credentials (the input `fetch` of the workflow), and GitHub gives none to the run of a fork or of Dependabot. Nothing is requested, so this says nothing about the model. The review says "waiting for a run with credentials" for this endpoint and continues with the others.',
    example: {
      code: {
        language: 'yaml',
        text: 'name: iris\nconfig:\n  served_entities:\n    - entity_name: iris\n      entity_version: "4"',
      },
      command: 'davit review iris',
      says: 'endpoints/iris.yaml:4:7 error credentials-withheld Cannot fetch iris 4: the run of a pull request from a fork, or of Dependabot, gets no credentials from GitHub',
    },
    repair:
      "The author can do nothing about it. A maintainer reads the changes, pushes the same commit to a branch of the repository and opens a pull request from it: the report at the fork's pull request has the commands. For Dependabot, a push to its branch is enough.",
    check: 'davit review iris',
  },
  'moving-version': {
    stage: 'check',
    means:
      'The version is `latest` or a stage such as `Production`. The lock holds the number that it means now, so what was reviewed is what runs, but the next `davit lock` may bring another model that nobody chose for this endpoint. MLflow has deprecated stages.',
    example: {
      files: { [IRIS]: makeIrisFile().replace('"2"', 'latest') },
      command: 'davit check iris',
      says: 'endpoints/iris.yaml:5:23 warning moving-version Found "latest" as the version of a model: it is whatever version was registered last, expected a number or an alias',
    },
    repair:
      'Write the number of the version, or give the version an alias in the registry (`MlflowClient().set_registered_model_alias("iris", "champion", "2")`) and write `entity_version: "@champion"`. Run `npx davit lock --check` on a schedule to learn when the alias moves.',
    changes: [[IRIS, 'latest', '"2"']],
  },
  'registry-refused': {
    stage: 'fetch',
    means:
      'An environment file names a registry (`registry.uri`) to which the environment of Davit sends no request: it is neither the address of MLFLOW_REGISTRY_URI or MLFLOW_TRACKING_URI nor listed in DAVIT_MODEL_SOURCES. A pull request writes the file, so the file alone must not decide where credentials go. The same code says that several environments name different registries.',
    example: {
      code: {
        language: 'sh',
        text: 'echo "registry: { uri: https://mlflow.acme.example }" >> environments/local.yaml',
      },
      command: 'davit lock iris',
      says: 'endpoints/iris.yaml:4:20 error registry-refused Cannot fetch iris 2: the registry https://mlflow.acme.example of environments/local.yaml is not allowed, expected the address of MLFLOW_REGISTRY_URI or MLFLOW_TRACKING_URI',
    },
    repair:
      'If the registry is yours, set MLFLOW_REGISTRY_URI to its address where Davit runs: in your shell, or as the input `registry-uri` of the workflow. For several registries, name the environment: `npx davit lock --environment production`.',
    check: 'davit lock iris',
  },
} as const satisfies Readonly<Record<string, Explanation>>;
