import { CONDA_SAME_NAMES } from './conda-same-names.ts';
import { parseCondaName } from './parse-conda-name.ts';
import { readOwn } from '../../schemas/values/read-own.ts';

/** The pip requirement for a conda package, or the reason why pip has nothing to install. */
type PipCounterpart = { readonly pip: string; readonly certain: boolean } | NoCounterpart;

interface NoCounterpart {
  readonly none: string;
  /** The pip requirement to add, should the model import the package itself. */
  readonly ifImported?: string | undefined;
  /** Nothing else provides it: a model that uses it fails without it. */
  readonly isNeeded: boolean;
  /** The package of Debian, and so of the base image, with the same program. */
  readonly debian?: string | undefined;
}

/** Conda packages whose package in pip certainly has another name. */
const TWINS: Readonly<Record<string, string>> = {
  'brotli-python': 'brotli',
  'dask-core': 'dask',
  'docker-py': 'docker',
  faiss: 'faiss-cpu',
  'matplotlib-base': 'matplotlib',
  'msgpack-python': 'msgpack',
  'numpy-base': 'numpy',
  opencv: 'opencv-python-headless',
  psycopg2: 'psycopg2-binary',
  'py-lightgbm': 'lightgbm',
  'py-opencv': 'opencv-python-headless',
  'py-xgboost': 'xgboost',
  'py-xgboost-cpu': 'xgboost',
  'py-xgboost-gpu': 'xgboost',
  'pyarrow-core': 'pyarrow',
  pyqt: 'pyqt5',
  pytables: 'tables',
  'python-blosc': 'blosc',
  'python-fastjsonschema': 'fastjsonschema',
  'python-flatbuffers': 'flatbuffers',
  'python-graphviz': 'graphviz',
  'python-kaleido': 'kaleido',
  'python-kubernetes': 'kubernetes',
  'python-levenshtein': 'levenshtein',
  'python-lmdb': 'lmdb',
  'python-tzdata': 'tzdata',
  'python-xxhash': 'xxhash',
  pytorch: 'torch',
  'pytorch-cpu': 'torch',
  'pytorch-gpu': 'torch',
  'ray-core': 'ray',
  'ray-default': 'ray[default]',
  'redis-py': 'redis',
  'seaborn-base': 'seaborn',
  'tensorflow-base': 'tensorflow',
  'tensorflow-eigen': 'tensorflow',
  'tensorflow-gpu': 'tensorflow',
  'tensorflow-mkl': 'tensorflow',
};

const IN_WHEELS = 'the wheels that need it include it';
const FROM_DRIVER = 'the driver of the machine and the wheels that need it provide it';
const FOR_BUILDS = 'only builds need it, and Davit installs wheels';
const ONLY_CONDA = 'only conda uses it';
const FOR_MKL = 'the wheels of NumPy and SciPy do not use it';
const LIKE_A_LIBRARY = 'it has the name of a library, and the wheels that need a library include it';
const A_PROGRAM = 'it is not a Python package, so only the base image can have it';
const FOR_OTHERS = 'only Windows or macOS uses it';
const OF_R = 'it is a package of R, which Davit does not serve';

const LISTS: readonly (readonly [reason: string, names: string, pattern: RegExp])[] = [
  [
    FROM_DRIVER,
    'cudatoolkit cudnn nccl cuda pytorch-cuda pytorch-mutex cupti cutensor',
    /^(?:cuda-(?!(?:python|bindings|core|pathfinder)$)|magma-cuda)/,
  ],
  [
    FOR_BUILDS,
    'cmake make ninja gcc gxx gfortran clang clangxx llvm binutils compilers c-compiler cxx-compiler fortran-compiler pkg-config autoconf automake libtool patchelf swig',
    /^(?:gcc|gxx|gfortran|binutils|ld-impl|sysroot|kernel-headers|clang|clangxx)[-_](?:impl-|bootstrap-)?linux/,
  ],
  [ONLY_CONDA, 'nomkl python-abi conda anaconda cpuonly blas', /^conda-|^menuinst$/],
  [
    IN_WHEELS,
    `abseil-cpp arrow-cpp blosc boost boost-cpp brotli bzip2 c-ares c-blosc2 ca-certificates cairo dbus double-conversion
    eigen expat fontconfig freetype gdk-pixbuf geos gettext gflags giflib glib glog gmp gnutls grpc-cpp gstreamer gtk2
    harfbuzz hdf4 hdf5 icu intel-openmp jpeg krb5 lame lcms2 lerc llvm-openmp lz4-c metis mkl mpc mpfr ncurses netcdf4-c
    nettle nspr nss openblas openh264 openjpeg openmp openssl orc pango pcre pcre2 pixman proj pthread-stubs qhull qt
    qt-main rapidjson re2 readline s2n snappy sqlite suitesparse tbb thrift-cpp tk tzdata uriparser utf8proc x264 x265 xz
    yaml zlib zlib-ng zstd`,
    /^(?:xorg-|aws-(?:c-|checksums|crt-cpp|sdk-cpp)|qt6-)|-mutex$|^-/,
  ],
  [
    FOR_OTHERS,
    'appnope python-app pywin32 pywinpty ucrt vc vc14-runtime vs2013-runtime vs2015-runtime win-inet-pton wincertstore winpty',
    /^(?:m2w64|m2|msys2|pyobjc)-/,
  ],
  [OF_R, 'r r-base', /^r-(?!.*python)/],
];

/** Programs, and the package of Debian that has each. */
const PROGRAMS: Readonly<Record<string, string>> = {
  curl: 'curl',
  ffmpeg: 'ffmpeg',
  ghostscript: 'ghostscript',
  git: 'git',
  'git-lfs': 'git-lfs',
  graphviz: 'graphviz',
  imagemagick: 'imagemagick',
  'java-jdk': 'default-jre-headless',
  maven: 'maven',
  mpich: 'mpich',
  nodejs: 'nodejs',
  openjdk: 'default-jre-headless',
  openmpi: 'openmpi-bin',
  pandoc: 'pandoc',
  perl: 'perl',
  poppler: 'poppler-utils',
  postgresql: 'libpq5',
  sox: 'sox',
  tesseract: 'tesseract-ocr',
  unixodbc: 'unixodbc',
  wget: 'wget',
};

/** Python packages for which conda's NumPy and SciPy have a use, and pip's have none. */
const MKL = new Set(['mkl-fft', 'mkl-random', 'mkl-service']);

/** Libraries that conda packages separately, without the `lib` of their names: `libgomp`, `libgcc-ng`. */
const LIBRARIES = new Set(
  `abseil atomic blas cap cblas crc32c cublas cufft cufile curand curl cusolver cusparse cxx cxxabi deflate edit ev event
  expat ffi gcc gcrypt gfortran gfortran4 gfortran5 glib gomp gpg-error grpc hdf5 hwloc iconv idn2 jpeg-turbo kml lapack
  lapacke lzma magma netcdf nghttp2 npp nsl nvjitlink nvjpeg ogg openblas opus parquet png pq protobuf quadmath sndfile
  sodium spatialite sqlite ssh2 stdcxx thrift tiff tmglib torch unistring utf8proc uuid uv vorbis webp webp-base xcb
  xcrypt xkbcommon xml2 xslt zip zlib`.split(/\s+/),
);
/** Libraries in parts or with their version in the name: `libarrow-dataset`, `libllvm14`. */
const LIBRARY_PARTS = /^lib(?:arrow|boost|brotli|clang-cpp|clang\d|google-cloud|llvm\d|opencv|re2-)/;

/**
 * A name such as `libfoo` is most often that of a library, and a Python package can have it. The exceptions are known to
 * be Python packages, or pip has one of the same name.
 */
const OTHER_LIB = /^lib(?!cst$|rosa$|sass$|tmux$|linear|svm|clang$|rt$|archive-c$|pysal$|mambapy$)/;

/** Converts `pytorch::pytorch=2.1` to the requirement `torch==2.1.*`, or returns why pip has none. */
export function findPipCounterpart(spec: string): PipCounterpart {
  const name = parseCondaName(spec);
  const debian = readOwn(PROGRAMS, name);
  if (debian !== undefined) return { none: A_PROGRAM, isNeeded: true, debian };
  const twin = readOwn(TWINS, name);
  if (twin !== undefined || CONDA_SAME_NAMES.has(name))
    return { pip: `${twin ?? name}${convertCondaVersion(spec)}`, certain: true };
  const reason = LISTS.find(([, names, pattern]) => names.split(/\s+/).includes(name) || pattern.test(name))?.[0];
  if (reason !== undefined) return { none: reason, isNeeded: reason === OF_R };
  if (isLibrary(name)) return { none: IN_WHEELS, isNeeded: false };
  const pip = `${name}${convertCondaVersion(spec)}`;
  if (MKL.has(name)) return { none: FOR_MKL, isNeeded: false, ifImported: pip };
  if (OTHER_LIB.test(name)) return { none: LIKE_A_LIBRARY, isNeeded: false, ifImported: pip };
  return { pip, certain: false };
}

function isLibrary(name: string): boolean {
  const stem = name.slice('lib'.length).replace(/-(?:devel|dev|static|ng)$/, '');
  return name.startsWith('lib') && (LIBRARIES.has(stem) || LIBRARY_PARTS.test(name));
}

/**
 * Converts the version of a conda package to a specifier of pip. `=2.1` matches every version that starts with 2.1. `==2.1.0`, and a
 * version with a build, match that version only. `>=2,<3` means the same for both. Omits a version that pip cannot express,
 * because the lock pins one.
 */
export function convertCondaVersion(spec: string): string {
  const text = (spec.split('::').at(-1) ?? '').trim();
  const [, fields = ''] = text.split('[');
  const inside = fields.includes('version=')
    ? /^["']?([^"'\]]*)/.exec(fields.split('version=')[1] ?? '')?.[1]
    : undefined;
  const rest = inside ?? text.replace(/\[.*/, '').replace(/^[A-Za-z0-9._-]+/, '');
  const exact = /^(==?)?\s*([0-9][0-9A-Za-z.]*)(\.?\*)?(?:[=\s]\s*\S+)?$/.exec(rest.trim());
  if (exact) {
    const [, sign, version = '', star] = exact;
    const isPrefix = star !== undefined || (sign === '=' && !/[=\s]/.test(rest.trim().slice(1).trim()));
    return isPrefix ? `==${version.replace(/\.$/, '')}.*` : `==${version}`;
  }
  const clauses = rest.split(',').map(convertClause);
  return clauses.every((clause) => clause !== undefined) ? clauses.join(',') : '';
}

/** `=2.1` → `==2.1.*`. Undefined: pip has no such clause. */
function convertClause(clause: string): string | undefined {
  const [, operator, version = ''] = /^\s*(>=|<=|==|!=|~=|>|<|=)\s*([0-9][0-9A-Za-z.]*(?:\*)?)\s*$/.exec(clause) ?? [];
  if (operator === undefined) return undefined;
  const plain = version.replace(/\.?\*?$/, '');
  if (operator === '=') return `==${plain}.*`;
  return `${operator}${operator === '==' || operator === '!=' ? version : plain}`;
}
