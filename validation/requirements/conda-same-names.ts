/**
 * Common packages of Python that conda and pip have under the same name. The pip name of any other package is uncertain: conda
 * calls the program and not the package of Python `graphviz`, `kubernetes` and `redis`, and a library `snappy` and `blosc`.
 */
export const CONDA_SAME_NAMES: ReadonlySet<string> = new Set(
  `absl-py accelerate adal aiobotocore aiofiles aiohappyeyeballs aiohttp aiohttp-cors aiosignal alembic altair
  annotated-types ansi2html anyio appdirs argcomplete argon2-cffi argon2-cffi-bindings arrow asgiref asn1crypto astor
  astroid astropy asttokens astunparse async-lru async-timeout asyncpg attrs autopep8 azure-core azure-identity
  azure-storage-blob babel backcall bcrypt beautifulsoup4 binaryornot black bleach blinker blis bokeh boto3 botocore bottleneck
  cachecontrol cachetools catalogue catboost category-encoders cattrs certifi cffi chardet charset-normalizer click
  click-plugins cligj cloudpathlib cloudpickle cmdstanpy colorama colorcet colorlog comm confection contextlib2 contourpy
  convertdate cookiecutter coverage croniter cryptography cssselect cuda-bindings cuda-python cycler cymem cython cytoolz
  dask databricks-cli databricks-sdk databricks-sql-connector dataclasses-json datasets datashader dateparser
  debugpy decorator deepdiff defusedxml deprecated diff-match-patch dill diskcache distlib distributed distro dnspython docker
  docopt docstring-parser docutils dowhy duckdb econml einops elasticsearch entrypoints ephem et-xmlfile evaluate
  exceptiongroup executing faker fastai fastapi fastcore fastparquet fastprogress feature-engine filelock flake8 flask
  flask-cors flask-login fonttools formulaic frozenlist fsspec future gast gensim geopandas geopy gitdb gitpython
  google-api-core google-api-python-client google-auth google-auth-httplib2 google-auth-oauthlib google-cloud-bigquery
  google-cloud-core google-cloud-storage google-crc32c google-pasta google-resumable-media googleapis-common-protos
  graphene graphql-core graphql-relay greenlet grpcio grpcio-status gunicorn h11 h2 h5py hdbscan hf-xet hijri-converter
  hmmlearn holidays hpack html5lib httpcore httplib2 httptools httpx huey huggingface-hub humanfriendly humanize
  hyperframe hyperopt hypothesis idna imageio imagesize imbalanced-learn importlib-metadata importlib-resources
  iniconfig invoke ipykernel ipython ipython-genutils ipywidgets isodate isort itsdangerous jax jaxlib jedi jellyfish
  jinja2 jmespath joblib joserfc json5 jsonpatch jsonpath-ng jsonpickle jsonpointer jsonschema
  jsonschema-specifications jupyter-client jupyter-core jupyter-events jupyter-server jupyterlab jupyterlab-pygments
  jupyterlab-server jupyterlab-widgets kafka-python keras keras-applications keras-preprocessing keyring kiwisolver
  korean-lunar-calendar langchain langchain-community langchain-core langchain-openai langchain-text-splitters
  langcodes langdetect langsmith lazy-loader lazy-object-proxy lifelines lightgbm lightning lightning-utilities lime
  llvmlite locket loguru lunarcalendar lxml lz4 mako marisa-trie markdown markdown-it-py markupsafe marshmallow matplotlib
  matplotlib-inline mccabe mdit-py-plugins mdurl mistune ml-dtypes mlflow mlflow-skinny mlxtend mock more-itertools mpmath
  msal msal-extensions multidict multipledispatch multiprocess munkres murmurhash mypy mypy-extensions
  mysql-connector-python narwhals natsort nbclient nbconvert nbformat nest-asyncio networkx neuralprophet nltk notebook
  notebook-shim numba numcodecs numexpr numpy numpydoc oauthlib onnx onnxruntime openai openpyxl opentelemetry-api
  opentelemetry-sdk opentelemetry-semantic-conventions opt-einsum optuna oracledb orjson overrides packaging pandas
  pandocfilters panel papermill param paramiko parso partd pathos pathspec pathy patsy peft pexpect phonenumbers
  pickleshare pillow platformdirs plotly pluggy ply pmdarima polars pooch portalocker pox ppft preshed prettytable
  prometheus-client prometheus-flask-exporter prompt-toolkit propcache prophet proto-plus protobuf psutil ptyprocess
  pure-eval py py4j pyarrow pyarrow-hotfix pyasn1 pyasn1-modules pycodestyle pycparser pycryptodome pycryptodomex
  pydantic pydantic-core pydantic-settings pydocstyle pydot pyerfa pyflakes pygments pyjwt pylint pymeeus pymongo pymssql
  pymysql pynacl pynndescent pyod pyodbc pyopenssl pyparsing pypdf pypdf2 pyproj pyrsistent pyserial pyshp pysocks
  pyspark pytest pytest-cov python-dateutil python-docx python-dotenv python-json-logger python-multipart
  python-pptx python-slugify python-utils pytorch-lightning pytz pyviz-comms pywavelets pyyaml pyzmq qtconsole qtpy
  querystring-parser rapidfuzz rdflib referencing regex reportlab requests requests-oauthlib requests-toolbelt
  responses retrying rfc3339-validator rfc3986-validator rich rope rpds-py rsa rtree ruamel-yaml ruamel-yaml-clib s3fs
  s3transfer sacrebleu sacremoses safetensors scikit-base scikit-image scikit-learn scikit-optimize scipy scrapy
  seaborn semver send2trash sentence-transformers sentencepiece sentry-sdk setproctitle shap shapely shellingham
  simplejson six skops skorch sktime slicer smart-open smmap sniffio snowballstemmer snowflake-connector-python
  sortedcontainers soupsieve spacy spacy-legacy spacy-loggers sqlalchemy sqlglot sqlmodel sqlparse srsly stack-data
  starlette statsforecast statsmodels stevedore stumpy sympy tabulate tblib tenacity tensorboard
  tensorboard-data-server tensorboard-plugin-wit tensorflow tensorflow-cpu tensorflow-datasets tensorflow-estimator
  tensorflow-hub tensorflow-probability termcolor terminado text-unidecode textblob textdistance thinc threadpoolctl
  tifffile tiktoken timm tinycss2 tldextract tokenizers toml tomli tomlkit toolz torchaudio torchmetrics torchvision
  tornado tqdm traitlets transformers treelib tsfresh typeguard typer typing-extensions typing-inspect
  typing-inspection tzlocal ujson umap-learn unidecode uritemplate urllib3 uvicorn uvloop validators waitress wasabi
  watchdog watchfiles wcwidth weasel webencodings websocket-client websockets werkzeug widgetsnbextension wordcloud wrapt
  xarray xgboost xlrd xlsxwriter xmltodict xxhash xyzservices yapf yarl yellowbrick zict zipp zope-interface zstandard`.split(
    /\s+/,
  ),
);
