import type { LockedPackage } from '../../schemas/lock/lock.ts';
import { readOwn } from '../../schemas/values/read-own.ts';

type PackageIdentity = Pick<LockedPackage, 'name' | 'source'>;

/** Packages whose only module has their own name, with underscores. */
const SAME_NAME = new Set(
  `accelerate aiobotocore aiofiles aiohappyeyeballs aiohttp aioitertools aiosignal aiosqlite alembic altair
  annotated-doc annotated-types anthropic anyio arrow asgiref asttokens astunparse async-timeout asyncpg awswrangler
  babel backcall backoff bcrypt beartype bitsandbytes black bleach blinker boto3 botocore build cachetools catboost
  category-encoders causalml certifi chardet charset-normalizer click cloudpickle cmdstanpy cohere colorama
  coloredlogs colorlog comm confluent-kafka contourpy coverage croniter cryptography cycler darts dask
  dataclasses-json datasets dateparser debugpy decorator deepdiff defusedxml deprecated dill diskcache distributed
  distro docker docutils durationpy econml einops evaluate exceptiongroup executing faiss faker fastapi fastparquet
  fastuuid feature-engine filelock flask flask-cors flatbuffers formulaic frozenlist fsspec gast gensim geopandas
  gitdb graphene graphql-relay graphviz great-expectations greenlet groq gunicorn h11 h2 h5py hdbscan hf-xet hmmlearn
  holidays hpack httpcore httptools httpx httpx-sse huey huggingface-hub humanfriendly humanize hyperframe hyperopt
  idna imageio importlib-metadata importlib-resources inflection iniconfig instructor ipykernel isodate itsdangerous
  jax jaxlib jedi jinja2 jiter jmespath joblib joserfc jsonpatch jsonpath-ng jsonpointer jsonref jsonschema
  jsonschema-path jsonschema-specifications keras kiwisolver kmodes kombu langchain langchain-anthropic
  langchain-community langchain-core langchain-openai langchain-text-splitters langdetect langgraph-sdk langsmith
  lark lazy-object-proxy libcst lifelines lightgbm lightning lightning-utilities lime litellm llvmlite loguru lxml
  lz4 mako markdown markupsafe marshmallow matplotlib-inline mdurl mistune ml-dtypes mlflow mlxtend mmh3 modin
  more-itertools mpmath msal msal-extensions msgpack msgspec multidict multiprocess mypy-extensions namex narwhals
  nest-asyncio networkx neuralprophet nevergrad ngboost nltk numba numexpr numpy onnx onnxmltools onnxruntime openai
  openpyxl opt-einsum optree optuna ordered-set orderly-set orjson outcome packaging pandas pandera parso pathspec
  patsy pdfplumber peft pendulum pexpect pickleshare pip platformdirs plotly pluggy pmdarima polars portalocker
  prettytable prometheus-client prompt-toolkit propcache prophet psutil psycopg psycopg2 ptyprocess pure-eval py4j
  pyasn1 pyasn1-modules pycparser pydantic pydantic-core pydantic-settings pygments pymysql pyod pyparsing
  pypdf pyproj pyspark pytorch-lightning pytz querystring-parser rank-bm25 rapidfuzz ray redis referencing regex
  requests requests-oauthlib requests-toolbelt responses retrying rfc3339-validator rich rouge-score rsa ruff s3fs
  s3transfer sacrebleu sacremoses safetensors scipy seaborn sentence-transformers sentencepiece sentry-sdk
  setproctitle shap shapely shellingham simplejson six skl2onnx skops skorch sktime slicer smart-open smmap sniffio
  sortedcontainers soupsieve spacy spacy-legacy spacy-loggers sqlalchemy sqlglot sqlparse srsly sse-starlette
  stack-data stanio starlette statsforecast statsmodels structlog tables tabulate tenacity tensorboard
  tensorboard-data-server tensorflow-io-gcs-filesystem termcolor tf-keras thinc threadpoolctl tiktoken timm
  tokenizers toml tomli tomlkit torchmetrics torchvision tornado tqdm traitlets transformers trio triton
  tsfresh typeguard typer typing-extensions typing-inspect typing-inspection tzdata tzlocal ujson uritemplate urllib3
  uvicorn uvloop waitress watchdog watchfiles wcwidth weasel webencodings websockets werkzeug wheel wordcloud wrapt
  xarray xgboost xlrd xlsxwriter xmltodict xxhash yarl zipp zstandard`.split(/\s+/),
);

/** Modules of packages that have others than their name says. A name with a dot is in a namespace that packages share. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  'absl-py': 'absl',
  'antlr4-python3-runtime': 'antlr4',
  'argon2-cffi': 'argon2',
  'argon2-cffi-bindings': '_argon2_cffi_bindings',
  attrs: 'attr attrs',
  'backports-tarfile': 'backports.tarfile',
  beautifulsoup4: 'bs4',
  brotli: 'brotli _brotli',
  cattrs: 'cattr cattrs',
  cffi: 'cffi _cffi_backend',
  'databricks-sql-connector': 'databricks.sql databricks.sqlalchemy',
  duckdb: 'duckdb _duckdb adbc_driver_duckdb',
  'faiss-cpu': 'faiss',
  fonttools: 'fontTools',
  gitpython: 'git',
  'google-pasta': 'pasta',
  'graphql-core': 'graphql',
  grpcio: 'grpc',
  'grpcio-status': 'grpc_status',
  'ibis-framework': 'ibis',
  'imbalanced-learn': 'imblearn',
  ipython: 'IPython',
  libclang: 'clang',
  'markdown-it-py': 'markdown_it',
  matplotlib: 'matplotlib mpl_toolkits pylab',
  'mlflow-skinny': 'mlflow',
  'mlflow-tracing': 'mlflow',
  'onnxruntime-gpu': 'onnxruntime',
  'opencv-contrib-python': 'cv2',
  'opencv-contrib-python-headless': 'cv2',
  'opencv-python': 'cv2',
  'opencv-python-headless': 'cv2',
  pillow: 'PIL',
  protobuf: 'google.protobuf google._upb',
  'psycopg2-binary': 'psycopg2',
  pyarrow: 'pyarrow benchmarks examples scripts cmake_modules',
  pycryptodome: 'Crypto',
  pycryptodomex: 'Cryptodome',
  pyjwt: 'jwt',
  pymongo: 'pymongo bson gridfs',
  pymupdf: 'fitz pymupdf',
  pynacl: 'nacl _sodium',
  pyopenssl: 'OpenSSL',
  pypdf2: 'PyPDF2',
  pypdfium2: 'pypdfium2 pypdfium2_raw',
  pytest: 'pytest _pytest py',
  'python-dateutil': 'dateutil',
  'python-docx': 'docx',
  'python-dotenv': 'dotenv',
  'python-json-logger': 'pythonjsonlogger',
  'python-multipart': 'multipart python_multipart',
  'python-pptx': 'pptx',
  'python-slugify': 'slugify',
  pyyaml: 'yaml _yaml',
  pyzmq: 'zmq',
  'rpds-py': 'rpds',
  'scikit-base': 'skbase',
  'scikit-image': 'skimage',
  'scikit-learn': 'sklearn',
  'scikit-optimize': 'skopt',
  setuptools: 'setuptools pkg_resources _distutils_hack distutils easy_install',
  'slack-sdk': 'slack slack_sdk',
  sympy: 'sympy isympy',
  tensorflow: 'tensorflow tensorflow_core',
  'tensorflow-cpu': 'tensorflow tensorflow_core',
  toolz: 'toolz tlz',
  torchaudio: 'torchaudio torio',
  torch: 'torch torchgen functorch caffe2',
  'umap-learn': 'umap',
  'websocket-client': 'websocket',
  'xgboost-cpu': 'xgboost',
};

/** NVIDIA's libraries for wheels of others, such as `nvidia-cublas-cu12`. They have gigabytes, and no module but `nvidia`. */
const CUDA_PART = /^nvidia-[a-z0-9-]+-cu\d+$/;

/**
 * The modules that a package usually has; a name with dots for a part of a namespace. A version may have others, so only
 * the files of the package prove that it lacks one. Undefined: only its files say which.
 */
export function listKnownModules({ name, source }: PackageIdentity): readonly string[] | undefined {
  // A wheel inside the model or at an address may have the name of a package and other content.
  if (source !== undefined) return undefined;
  const others = readOwn(OTHER_NAMES, name);
  if (others !== undefined) return others.split(' ');
  if (SAME_NAME.has(name)) return [name.replaceAll('-', '_')];
  if (CUDA_PART.test(name)) return ['nvidia'];
  return name.startsWith('types-') || name.endsWith('-stubs') ? [] : undefined;
}

/** Whether no file of the package needs to be read, because it provides nothing that a model imports. */
export function isCudaPart({ name, source }: PackageIdentity): boolean {
  return source === undefined && CUDA_PART.test(name);
}

/** Namespaces that many packages share: the name of a package says which part it has. */
const NAMESPACES = new Set(
  'azure backports databricks google jaraco llama_index nvidia opentelemetry ruamel sphinxcontrib zope'.split(' '),
);

/**
 * The modules that a package has, or, where only its files could say, every name that it could have by its own name. So
 * what is missing beside these is worth a look into the files.
 */
export function guessModules({ name, source }: PackageIdentity): readonly string[] {
  const known = listKnownModules({ name, source });
  if (known) return known;
  const parts = name.split('-');
  const [first = ''] = parts;
  const dotted = parts.join('.');
  return [parts.join('_'), dotted, ...(NAMESPACES.has(first) ? [] : [first])];
}
