import type { LimitedRun } from '../../sandbox/run-limited.ts';

/** Why a wheel cannot be built. */
export interface BuildFailure {
  /** The end of a sentence: `its build needs a C compiler, which this machine does not have`. */
  readonly why: string;
  readonly hint: string;
}

/** Another way to the same package, for every failure. */
const BUILD_ELSEWHERE =
  'Or build the wheel where the model is trained (pip wheel --no-deps), and log the model with that file in code_paths and the requirement code/FILE.whl';

/** Programs that builds start, with the Debian package that has them. */
const PROGRAMS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(['cc', 'gcc', 'c++', 'g++', 'make', 'ld'].map((name) => [name, 'build-essential'])),
  clang: 'clang',
  gfortran: 'gfortran',
  cmake: 'cmake',
  ninja: 'ninja-build',
  cargo: 'cargo',
  rustc: 'rustc',
  go: 'golang-go',
  swig: 'swig',
  'pkg-config': 'pkg-config',
  git: 'git',
  nvcc: 'nvidia-cuda-toolkit',
  pg_config: 'libpq-dev',
  mysql_config: 'default-libmysqlclient-dev',
  'xml2-config': 'libxml2-dev',
  'xslt-config': 'libxslt1-dev',
  'krb5-config': 'libkrb5-dev',
  'curl-config': 'libcurl4-openssl-dev',
  'gdal-config': 'libgdal-dev',
  'geos-config': 'libgeos-dev',
  'nc-config': 'libnetcdf-dev',
};

/** Headers, or the first folder of their path, with the Debian package that has them. */
const HEADERS: Readonly<Record<string, string>> = {
  'Python.h': 'python3-dev',
  'ffi.h': 'libffi-dev',
  'openssl/': 'libssl-dev',
  'sql.h': 'unixodbc-dev',
  'sqlext.h': 'unixodbc-dev',
  'libpq-fe.h': 'libpq-dev',
  'mysql.h': 'default-libmysqlclient-dev',
  'mysql/': 'default-libmysqlclient-dev',
  'zlib.h': 'zlib1g-dev',
  'bzlib.h': 'libbz2-dev',
  'lzma.h': 'liblzma-dev',
  'zstd.h': 'libzstd-dev',
  'lz4.h': 'liblz4-dev',
  'snappy-c.h': 'libsnappy-dev',
  'snappy.h': 'libsnappy-dev',
  'jpeglib.h': 'libjpeg-dev',
  'png.h': 'libpng-dev',
  'libxml/': 'libxml2-dev',
  'libxslt/': 'libxslt1-dev',
  'gmp.h': 'libgmp-dev',
  'mpfr.h': 'libmpfr-dev',
  'portaudio.h': 'portaudio19-dev',
  'sndfile.h': 'libsndfile1-dev',
  'hdf5.h': 'libhdf5-dev',
  'netcdf.h': 'libnetcdf-dev',
  'geos_c.h': 'libgeos-dev',
  'proj.h': 'libproj-dev',
  'proj_api.h': 'libproj-dev',
  'gdal.h': 'libgdal-dev',
  'curl/': 'libcurl4-openssl-dev',
  'ldap.h': 'libldap-dev',
  'sasl/': 'libsasl2-dev',
  'gssapi/': 'libkrb5-dev',
  'yaml.h': 'libyaml-dev',
  'sqlite3.h': 'libsqlite3-dev',
  'fftw3.h': 'libfftw3-dev',
  'cblas.h': 'libopenblas-dev',
  'lapacke.h': 'liblapacke-dev',
  'boost/': 'libboost-dev',
  'Eigen/': 'libeigen3-dev',
  'zmq.h': 'libzmq3-dev',
  'librdkafka/': 'librdkafka-dev',
  'cairo.h': 'libcairo2-dev',
  'GL/': 'libgl-dev',
  'mpi.h': 'libopenmpi-dev',
  'db.h': 'libdb-dev',
};

/** Modules that a build imports although its package does not say that it needs them. */
const OLD_SETUPTOOLS = /^(?:pkg_resources|distutils)(?:\.|$)/;

/** Explains why the program that builds a wheel has failed, from what it has printed. */
export function explainBuild(
  { code, signal, stdout, stderr, stopped }: LimitedRun,
  { limitSeconds, memoryBytes }: { readonly limitSeconds: number; readonly memoryBytes: number },
): BuildFailure {
  if (stopped === 'time')
    return { why: `its build takes longer than ${limitSeconds / 60} minutes`, hint: BUILD_ELSEWHERE };
  if (stopped === 'memory')
    return { why: `its build needs more than ${memoryBytes / 2 ** 30} GiB of memory`, hint: BUILD_ELSEWHERE };
  if (stopped !== undefined)
    return {
      why: `its build exceeds the limit of ${stopped === 'output' ? 'its wheel and log' : 'processes'}`,
      hint: BUILD_ELSEWHERE,
    };
  const log = `${stdout.slice(0, MAX_LOG)}\n${stderr.slice(-MAX_LOG)}`;
  return (
    explainProgram(log) ??
    explainHeader(log) ??
    explainNetwork(log) ??
    explainModule(log) ?? {
      why: `its build ends with ${signal ?? `exit code ${code}`}: ${findLastLine(stderr)}`,
      hint: BUILD_ELSEWHERE,
    }
  );
}

const MAX_LOG = 200_000;
const MISSING_PROGRAM = [
  /command '([\w./+-]{1,80})' failed: No such file or directory/,
  /unable to execute '([\w./+-]{1,80})'/,
  /\b([\w+-]{1,40}): (?:command )?not found/,
  /No such file or directory: '([\w./+-]{1,80})'/,
  /\b([a-z0-9]{1,20}_config|[a-z0-9]{1,20}-config) (?:executable )?not found/,
  /can't find (Rust) compiler/,
  /Unknown compiler\(s\): \[\['(cc)'/,
  /No (CMAKE_C(?:XX)?_COMPILER) could be found/,
  /CMake must be installed|(cmake) not found/i,
];
const ALIASES: Readonly<Record<string, string>> = {
  Rust: 'cargo',
  CMAKE_C_COMPILER: 'cc',
  CMAKE_CXX_COMPILER: 'c++',
};
const COMPILERS = new Set(['cc', 'gcc', 'c++', 'g++', 'clang']);

function explainProgram(log: string): BuildFailure | undefined {
  for (const pattern of MISSING_PROGRAM) {
    const found = pattern.exec(log);
    if (!found) continue;
    const written = (found[1] ?? 'cmake').split('/').at(-1) ?? '';
    const name = ALIASES[written] ?? written.replace(/^(?:x86_64|aarch64)-linux-gnu-/, '');
    const debian = Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : undefined;
    if (debian === undefined) continue;
    const what = COMPILERS.has(name) ? `a C compiler (${name})` : `the program ${name}`;
    return { why: `its build needs ${what}, which this machine does not have`, hint: renderInstall(debian) };
  }
  return undefined;
}

function explainHeader(log: string): BuildFailure | undefined {
  const header =
    /fatal error: '?([\w./+-]{1,100}\.h(?:pp)?|Eigen\/\w{1,40})'?(?: file not found|: No such file or directory)/.exec(
      log,
    )?.[1];
  if (header === undefined) return undefined;
  const debian = HEADERS[header] ?? HEADERS[`${header.split('/')[0] ?? ''}/`];
  const why = `its build needs the header ${header}, which this machine does not have`;
  return {
    why,
    hint: debian === undefined ? `Install the library that has it. ${BUILD_ELSEWHERE}` : renderInstall(debian),
  };
}

const NETWORK =
  /Temporary failure in name resolution|Name or service not known|Network is unreachable|Could not resolve host|nodename nor servname|Max retries exceeded/;

function explainNetwork(log: string): BuildFailure | undefined {
  if (!NETWORK.test(log)) return undefined;
  return { why: 'its build needs the network, which no build has', hint: BUILD_ELSEWHERE };
}

function explainModule(log: string): BuildFailure | undefined {
  const module = /(?:ModuleNotFoundError|ImportError): No module named '?([\w.]{1,100})'?/.exec(log)?.[1];
  if (module === undefined) return undefined;
  return {
    why: `its build imports ${module}, which it does not list among its build requirements`,
    hint: OLD_SETUPTOOLS.test(module)
      ? `It needs an older setuptools. Choose a newer version of the package. ${BUILD_ELSEWHERE}`
      : BUILD_ELSEWHERE,
  };
}

function renderInstall(debian: string): string {
  return `Install it where Davit runs: apt-get install ${debian}. ${BUILD_ELSEWHERE}`;
}

/** The last line that says something: of a traceback, the exception. */
function findLastLine(stderr: string): string {
  const lines = stderr
    .slice(-MAX_LOG)
    .split('\n')
    .map((line) => line.replace(/[\p{Cc}\p{Cf}]/gu, ' ').trim())
    .filter(Boolean);
  const found = lines.findLast((line) => /^(?:[\w.]{1,60}(?:Error|Exception)|error)\b/.test(line)) ?? lines.at(-1);
  return found === undefined ? 'it prints nothing' : found.slice(0, 300);
}
