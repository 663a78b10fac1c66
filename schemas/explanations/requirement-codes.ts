import { type Explanation, makeIrisFile } from './explanation.ts';

const IRIS = { 'endpoints/iris.yaml': makeIrisFile() };
const REQUIREMENTS = 'models/iris/2/requirements.txt';
const CONDA = 'models/iris/2/conda.yaml';
const makeModel = (...requirements: readonly string[]) => ({ ...IRIS, [REQUIREMENTS]: `${requirements.join('\n')}\n` });
const makeConda = (channel: string, dependency: string) =>
  ['channels:', `  - ${channel}`, 'dependencies:', '  - python=3.11.7', `  - ${dependency}`, ''].join('\n');
/** How a requirement is changed without logging the model again. */
const EDIT = [
  '',
  'Without logging the model again, change the requirement in the endpoint file and lock again:',
  '',
  '```yaml',
  'davit:',
  '  served_entities:',
  '    iris-2:',
  '      requirements: { add: [pillow==10.3.0], remove: [xgboost] }',
  '```',
].join('\n');

/** Codes about what a model requires, and about resolving it. */
export const REQUIREMENT_CODES = {
  'requirement-invalid': {
    stage: 'check',
    means:
      'A line of the requirements cannot be installed on a server: it is not a requirement, it contains a password, or it leads to a path of the machine that trained the model, to a repository that is not fixed to a commit or that `build_wheels` does not name, or to an address without https, which others on the network can change.',
    example: {
      files: makeModel(
        'mlflow-skinny==3.17.2',
        'scikit-learn==1.9.1',
        'features @ git+https://github.com/acme/features',
      ),
      command: 'davit lock iris',
      says: 'endpoints/iris.yaml:4:7 error requirement-invalid Cannot install "features @ git+https://github.com/acme/features" for iris 2: it names no commit of the repository, so what is installed could change, expected @ and the whole hash',
    },
    repair: `Build a wheel of a package of your own (\`pip wheel --no-deps ./helper\`), log the model with that file in \`code_paths\` and the requirement \`code/helper-1.0-py3-none-any.whl\`, or publish it in an index and set UV_INDEX where Davit runs ([models](../models.md#private-packages)). Rotate a password that was in the file.${EDIT}`,
    changes: [[REQUIREMENTS, 'features @ git+https://github.com/acme/features', 'features==1.0.0']],
  },
  'requirement-unpinned': {
    stage: 'check',
    means:
      'The requirement has no exact version. The lock then chooses one, and it may be another than the one that trained the model. It is a warning, unless `policy.unpinned_requirement` of an environment says otherwise.',
    example: {
      files: makeModel('mlflow-skinny==3.17.2', 'scikit-learn==1.9.1', 'pandas>=2'),
      command: 'davit lock iris',
      says: 'endpoints/iris.yaml:4:7 warning requirement-unpinned Found "pandas>=2" in the requirements of iris 2: expected the exact version that the model was trained with',
    },
    repair: `Write the version of the environment that trained the model: \`pip freeze\` there shows it.${EDIT}`,
    changes: [[REQUIREMENTS, 'pandas>=2', 'pandas==3.1.1']],
  },
  'requirement-platform': {
    stage: 'check',
    means:
      'Servers run on Linux. The package exists only for Windows or macOS, or its build (`+cu121`, `+cpu`) comes from a special index.',
    example: {
      files: makeModel('mlflow-skinny==3.17.2', 'scikit-learn==1.9.1', 'pywin32==306'),
      command: 'davit lock iris',
      says: 'endpoints/iris.yaml:4:7 error requirement-platform Cannot serve iris 2 with "pywin32==306": it is not for Linux, expected a package for Linux',
    },
    repair: `Remove the package if the model does not import it. For a special build, require the plain version, or set UV_INDEX to the index that has the build.${EDIT}`,
    changes: [[REQUIREMENTS, '\npywin32==306', '']],
  },
  'conda-only-package': {
    stage: 'check',
    means:
      'conda.yaml of the model lists a package outside its pip section. A server installs with pip from locked wheels. What pip certainly has too, such as scikit-learn, becomes a requirement, and what the wheels or the driver provide, such as libgomp, is left out; both are warnings. So is any other package with the name of a library, and the hint has the requirement to add if the model imports it. A program such as openjdk can only be in the base image, and the hint names its package of Debian. Any other package would be missing. Of nine packages on, those with the same end are one report.',
    example: {
      files: { ...IRIS, [CONDA]: makeConda('conda-forge', 'librosa=0.10.2') },
      command: 'davit lock iris',
      says: 'endpoints/iris.yaml:4:7 error conda-only-package Cannot install "librosa=0.10.2" for iris 2: it comes from conda, expected packages that pip can install',
    },
    repair: `Add the package under its name in pip, as the hint says, or remove it if the model runs without it.${EDIT}`,
    changes: [[CONDA, '\n  - librosa=0.10.2', '']],
  },
  'anaconda-channel': {
    stage: 'check',
    means:
      'conda.yaml of the model names a channel of Anaconda, such as `defaults`, whose terms may ask for a commercial licence, or it names no channel. Channels of others on anaconda.org, such as conda-forge, are not meant. MLflow before 1.18 wrote `defaults` by itself. Davit installs nothing from conda, so this is a warning about the model itself, unless `policy.defaults_channel` of an environment says otherwise.',
    example: {
      files: { ...IRIS, [CONDA]: makeConda('defaults', 'pip') },
      command: 'davit lock iris',
      says: 'endpoints/iris.yaml:4:7 warning anaconda-channel Found the conda channel "defaults" in iris 2: Anaconda may ask for a commercial licence',
    },
    repair:
      'Log the model with a `conda_env=` whose channels name conda-forge, or without one; a model of MLflow before 1.18, with a newer MLflow. If your licence allows the channel, nothing has to be done.',
    changes: [[CONDA, 'defaults', 'conda-forge']],
  },
  'version-drift': {
    stage: 'check',
    means:
      'The model was saved with one version of a library and requires another. Pickles of scikit-learn, statsmodels and cloudpickle do not load reliably across versions, so this is an error there; for other libraries it is a warning. A requirement that leaves the version open gets the one that saved the model.',
    example: {
      files: makeModel('mlflow-skinny==3.17.2', 'scikit-learn==1.5.2'),
      command: 'davit lock iris',
      says: 'endpoints/iris.yaml:4:7 error version-drift Cannot serve iris 2 with scikit-learn 1.5.2: it was saved with 1.9.1, expected the same version',
    },
    repair: `Require the version that saved the model; the hint has the line.${EDIT}`,
    changes: [[REQUIREMENTS, '1.5.2', '1.9.1']],
  },
  'version-unsupported': {
    stage: 'check',
    means: 'The model server runs on Python 3.8 and newer with MLflow 2.10 and newer. This model names an older one.',
    example: {
      files: makeModel('mlflow-skinny==2.8.0', 'scikit-learn==1.9.1'),
      command: 'davit lock iris',
      says: 'endpoints/iris.yaml:4:7 error version-unsupported Cannot serve iris 2 with mlflow-skinny 2.8.0: it is too old, expected 2.10 or newer',
    },
    repair: `Require a newer MLflow, which loads models of older versions. For an older Python, train and log the model again with a newer one. A model without byte code (ONNX, XGBoost JSON, LightGBM, CatBoost, skops, most pickles of scikit-learn) can also run on another Python: add \`python==3.8\` to the requirements. Davit looks for byte code in its files and refuses that where it finds some.${EDIT}`,
    changes: [[REQUIREMENTS, '2.8.0', '3.17.2']],
  },
  'resolution-failed': {
    stage: 'lock',
    means:
      'uv finds no set of versions that satisfies all requirements: two of them contradict each other, a version does not exist or was withdrawn, or it has no wheel for this Python and Linux. The message says which requirement is to blame.',
    example: {
      code: { language: 'sh', text: '# requirements.txt of the model\npandas==3.1.1\nnumpy==1.21.0' },
      command: 'davit lock iris',
      says: 'endpoints/iris.yaml:4:7 error resolution-failed Cannot install the requirements of iris 2: pandas 3.1.1 needs numpy>=1.26.0, and the model requires numpy==1.21.0',
    },
    repair: `Change one of the two requirements that the message names. A package of a private index needs UV_INDEX (and its credentials) where Davit runs ([models](../models.md#private-packages)). A package without wheels, which the message names together with the requirement that brings it, can be built by Davit (\`build_wheels\`, [models](../models.md#packages-without-a-wheel)) or by you.${EDIT}`,
    check: 'davit lock iris',
  },
} as const satisfies Readonly<Record<string, Explanation>>;
