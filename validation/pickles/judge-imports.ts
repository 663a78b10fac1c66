import { readOwn } from '../../schemas/values/read-own.ts';

/** A name that a pickle would import. */
export interface PickleImport {
  readonly module: string;
  /** Empty: the module itself, which functions inside the pickle use as a global name. */
  readonly name: string;
  readonly called: boolean;
  /** Whether the scanner knows that it runs code. */
  readonly dangerous: boolean;
  /** Whether the module belongs to Python. */
  readonly standard: boolean;
}

export interface ProvidedModules {
  /** Top-level modules of the locked packages. */
  readonly packages: ReadonlySet<string>;
  /** Top-level modules of the model's own code folder. */
  readonly code: ReadonlySet<string>;
}

const words = (text: string) => new Set(text.split(/\s+/));

/**
 * What pickles of data and of cloudpickle need from Python. Left out is everything that runs text, starts programs,
 * reads or writes files, opens connections, or applies a function that it is given.
 */
const HARMLESS: Readonly<Record<string, ReadonlySet<string> | 'all'>> = {
  builtins: words(
    `basestring bool bytearray bytes classmethod complex dict Ellipsis enumerate float frozenset getattr int list long memoryview
     NotImplemented object property range reversed set slice staticmethod str tuple type unicode xrange zip ArithmeticError
     AssertionError AttributeError BaseException Exception ImportError IndexError KeyError LookupError NameError
     NotImplementedError OSError RuntimeError StopIteration TypeError ValueError Warning UserWarning abs len max min sum
     round sorted any all repr hash isinstance issubclass callable`,
  ),
  abc: 'all',
  array: 'all',
  codecs: words('encode decode'),
  collections: 'all',
  contextvars: 'all',
  copy: words('copy deepcopy _reconstruct'),
  copyreg: words('_reconstructor __newobj__ __newobj_ex__ __reduce_ex__'),
  dataclasses: 'all',
  datetime: 'all',
  decimal: 'all',
  enum: 'all',
  fractions: 'all',
  functools: words('partial partialmethod cached_property lru_cache _lru_cache_wrapper wraps singledispatch'),
  inspect: words('Signature Parameter _ParameterKind _empty'),
  io: words('BytesIO StringIO'),
  ipaddress: 'all',
  itertools: words('chain count cycle repeat product'),
  json: 'all',
  logging: words('getLogger Logger'),
  math: 'all',
  cmath: 'all',
  numbers: 'all',
  pathlib: 'all',
  queue: words('Queue LifoQueue PriorityQueue'),
  random: 'all',
  re: words('_compile compile Pattern RegexFlag'),
  statistics: 'all',
  string: 'all',
  time: words('struct_time time perf_counter monotonic'),
  types: 'all',
  typing: 'all',
  uuid: words('UUID SafeUUID'),
  warnings: words('warn'),
  weakref: 'all',
  zoneinfo: 'all',
};
const OPERATOR_EXCEPTIONS = words('call');
/** Python's older or inner names of the same modules. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  __builtin__: 'builtins',
  _abc: 'abc',
  _codecs: 'codecs',
  _collections: 'collections',
  _collections_abc: 'collections',
  _datetime: 'datetime',
  _decimal: 'decimal',
  _functools: 'functools',
  _io: 'io',
  _operator: 'operator',
  _pydatetime: 'datetime',
  _pydecimal: 'decimal',
  _random: 'random',
  _struct: 'struct',
  _weakref: 'weakref',
  copy_reg: 'copyreg',
};
/** Classes whose methods are harmless, so that `dict.fromkeys` is. */
const HARMLESS_METHODS = words('builtins collections datetime decimal');
/** Modules that a package imports, and that a pickle can so reach through the package. */
const MODULES_IN_PACKAGES = words(
  `os sys subprocess importlib builtins shutil socket ctypes posix nt pty runpy pickle code codeop marshal tempfile
   multiprocessing threading asyncio urllib http ftplib smtplib webbrowser pdb inspect platform`,
);
/** Attributes that lead from any object to every module. */
const GATES = words('__globals__ __builtins__ __subclasses__ __import__ __loader__ __code__ __mro__ __base__ __dict__');

/** Whether an import is more than data, the locked packages and the model's own code need. */
export function isBeyondPackages(found: PickleImport, { packages, code }: ProvidedModules): boolean {
  const { module, name, standard, dangerous } = found;
  const [top = ''] = module.split('.');
  const parts = name.split('.');
  if (parts.some((part) => GATES.has(part))) return true;
  if (standard) return name !== '' && !isHarmless(module, parts);
  if (top === '__main__' || top === '__mp_main__' || code.has(top)) return false;
  if (!packages.has(top)) return true;
  if (top === 'cloudpickle') return false; // what its functions import is followed
  return dangerous || parts.some((part) => MODULES_IN_PACKAGES.has(part));
}

function isHarmless(module: string, [first = '', ...rest]: readonly string[]): boolean {
  const [top = '', ...below] = module.split('.');
  const known = [readOwn(OTHER_NAMES, top) ?? top, ...below].join('.');
  if (known === 'operator') return rest.length === 0 && !OPERATOR_EXCEPTIONS.has(first) && !first.startsWith('(');
  const names = readOwn(HARMLESS, known === 'collections.abc' ? 'collections' : known);
  if (names === undefined || (names !== 'all' && !names.has(first)) || first.startsWith('(')) return false;
  return rest.length === 0 || HARMLESS_METHODS.has(known);
}
