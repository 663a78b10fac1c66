/** Every diagnostic code and its explanation. Codes never change. */
export const DIAGNOSTIC_CODES = {
  // The text of a file
  'unreadable-file': 'The file cannot be read',
  'bad-yaml': 'The file is not valid YAML',
  'unknown-field': 'The field does not exist here',
  'missing-field': 'A required field is missing',
  'wrong-type': 'The value has the wrong type',
  'bad-value': 'The value has the right type but is not allowed',
  'unsupported-field': 'Databricks has this field, but Davit does not support it',
  'deprecated-field': 'Databricks renamed the field; Davit reads it under its new name',
  'unresolved-variable': 'The value contains a variable, but endpoint files have none',
  'foreign-file': 'The file is not an endpoint file, but davit import can make one of it',
  'not-imported': 'A part of an imported file has no place in an endpoint file',
  'conflicting-fields': 'Two fields cannot be used together',
  // Rules over a whole endpoint and over all of them
  'name-mismatch': 'The name differs from the name of the file',
  'duplicate-name': 'The same name is used twice',
  'unknown-entity': 'A field names a served entity that does not exist',
  'traffic-sum': 'The traffic percentages do not add up to 100',
  'traffic-missing': 'An endpoint with several served entities has no traffic_config',
  'uneven-concurrency': 'The maximum concurrency is not a whole number of replicas',
  'unavailable-workload-type': 'The environment does not provide this workload type',
  'quota-exceeded': 'The endpoint alone exceeds the quota for all models of the environment',
  'unknown-principal': 'The principal cannot exist in the environment',
  'secret-missing': 'A referenced secret does not exist in the cluster',
  'unknown-endpoint': 'No endpoint has this name',
  'unknown-environment': 'No environment has this name',
  // The lock
  'lock-missing': 'The endpoint has no lock',
  'lock-stale': 'The lock does not match the endpoint or its model',
  'lock-invalid': 'The lock is not in the format that Davit writes',
  // Static checks of a model
  'model-not-found': 'The model cannot be found or fetched',
  'model-pending': 'The registry does not have the version yet, or it is not ready',
  'credentials-withheld': 'The run of a fork or of Dependabot has no credentials to fetch the model or its packages',
  'moving-version': 'The version of a model can become another one without a change of a file',
  'registry-refused': 'The registry is not one that the environment of Davit allows',
  'model-unreadable': 'The directory is not an MLflow model that Davit can read',
  'flavor-missing': 'The model has no python_function flavor',
  'signature-missing': 'The model has no signature',
  'signature-invalid': 'The signature of the model cannot be parsed',
  'example-missing': 'The model has no input example',
  'requirements-missing': 'The model lists no Python version or no requirements',
  'requirement-invalid': 'A requirement cannot be parsed, or a server cannot use it',
  'requirement-unpinned': 'A requirement has no exact version',
  'requirement-platform': 'A requirement is for another platform',
  'conda-only-package': 'A package is available only from conda, so it would not be installed',
  'anaconda-channel': 'The model uses a channel that may need a commercial licence',
  'version-drift': 'The model requires a different version from the one that it was saved with',
  'version-unsupported': 'The model needs a version of Python or MLflow that is too old to serve',
  // Lock and virtualenv
  'hardware-mismatch': 'A package of the lock is for other hardware than that of the workload type',
  'package-yanked': 'A version in the lock was withdrawn by its authors',
  'package-built': 'Davit builds the wheel of a package in the lock from its source distribution',
  'module-missing': 'The model imports a module that no package of its lock provides',
  'resolution-failed': 'The requirements cannot be satisfied together',
  'python-unavailable': 'The Python version that the model needs is not available',
  'install-failed': 'The virtualenv cannot be made from the lock',
  'incompatible-packages': 'Installed packages are incompatible with each other',
  // Pickles
  'pickle-import': 'Loading the model imports more than its packages and its own code',
  'pickle-unreadable': 'A pickle of the model cannot be scanned to its end',
  // Advisories
  'vulnerable-package': 'A database of advisories names a vulnerability of a locked package',
  'advisories-missing': 'The environment asks for a check of vulnerabilities, but there is no database of advisories',
  // Prediction
  'sandbox-missing': 'This machine has no sandbox for the code of models',
  'import-failed': 'The model needs a module that is not installed or cannot be imported',
  'load-failed': 'The model cannot be loaded',
  'network-not-allowed':
    'The endpoint file names a service for a proof, and neither a policy nor the base branch allows it',
  'service-unreachable': 'A service that the endpoint file names for a proof did not answer this machine',
  'prediction-failed': 'The model fails on its own input example',
  'output-mismatch': 'The prediction does not match the output signature',
  'time-limit': 'The model takes longer than its time limit',
  'memory-limit': 'The model needs more memory than its limit',
  'library-missing': 'The model has loaded a shared library that its image lacks',
  // Against the version that the base branch declares
  'signature-breaking': 'The new version breaks the requests of today, or clients that read their answers',
  'predictions-changed': 'The new version changes more predictions than the environment allows',
  'predictions-not-compared':
    'The predictions were not compared with those of the version that the base branch declares',
  // Rollout
  'image-unattested': 'An image is not attested by the workflow that the environment names',
  'revision-failed': 'A revision does not become ready',
} as const;

export type DiagnosticCode = keyof typeof DIAGNOSTIC_CODES;
