/** Every diagnostic code and its explanation. Codes never change. */
export const DIAGNOSTIC_CODES = {
  // The text of a file
  'unreadable-file': 'The file cannot be read',
  'bad-yaml': 'The file is not valid YAML',
  'unknown-field': 'The field does not exist here',
  'missing-field': 'A field that must be there is missing',
  'wrong-type': 'The value has the wrong type',
  'bad-value': 'The value has the right type but is not allowed',
  'unsupported-field': 'The field exists in Databricks, and Davit cannot honour it yet',
  'conflicting-fields': 'Two fields cannot be used together',
  // Rules over a whole endpoint and over all of them
  'name-mismatch': 'The endpoint has another name than its file',
  'duplicate-name': 'Two things have the same name',
  'unknown-entity': 'A served entity is named that does not exist',
  'traffic-sum': 'The traffic percentages do not add up to 100',
  'traffic-missing': 'An endpoint with several served entities says nothing about traffic',
  'uneven-concurrency': 'The maximum is no whole number of replicas',
  'unavailable-workload-type': 'The environment has no such hardware',
  'quota-exceeded': 'The endpoint alone needs more than all models of the environment may have',
  'unknown-principal': 'Nobody in the environment can be who is named',
  'secret-missing': 'A secret that is read is not in the cluster',
  'unknown-endpoint': 'No endpoint has this name',
  'unknown-environment': 'No environment has this name',
  // The lock
  'lock-missing': 'The endpoint has no lock',
  'lock-stale': 'The lock does not belong to what the endpoint says now',
  'lock-invalid': 'The lock is not one that Davit wrote',
  // Static checks of a model
  'model-not-found': 'The model cannot be found or fetched',
  'model-unreadable': 'The directory is not an MLflow model that Davit can read',
  'flavor-missing': 'The model has no python_function flavor',
  'signature-missing': 'The model has no signature',
  'signature-invalid': 'The model has a signature that cannot be understood',
  'example-missing': 'The model has no input example',
  'requirements-missing': 'The model does not say what it requires',
  'requirement-invalid': 'A requirement cannot be understood or not be used in a server',
  'requirement-unpinned': 'A requirement has no exact version',
  'requirement-platform': 'A requirement belongs to another platform',
  'conda-only-package': 'A package comes from conda only and would not be installed',
  'anaconda-channel': 'The model uses a channel that may need a commercial licence',
  'version-drift': 'The model was saved with another version than the one it requires',
  'version-unsupported': 'The model needs a Python or an MLflow that is too old to be served',
  // Lock and virtualenv
  'resolution-failed': 'The requirements cannot be satisfied together',
  'python-unavailable': 'There is no Python of the version the model needs',
  'install-failed': 'The virtualenv cannot be made from the lock',
  'incompatible-packages': 'Installed packages contradict one another',
  // Prediction
  'import-failed': 'The model needs a module that is not installed or does not import',
  'load-failed': 'The model cannot be loaded',
  'prediction-failed': 'The model fails on its own input example',
  'output-mismatch': 'The answer contradicts the output signature',
  'time-limit': 'The model takes longer than its time limit',
  'memory-limit': 'The model needs more memory than it may have',
  // Rollout
  'revision-failed': 'A revision does not become ready',
} as const;

export type DiagnosticCode = keyof typeof DIAGNOSTIC_CODES;
