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
 * reads or writes files, opens connections, or applies a function that it is given. Every name is listed, because modules
 * also have the names that they import, and functions of their own that evaluate text.
 */
const HARMLESS: Readonly<Record<string, ReadonlySet<string>>> = {
  builtins: words(
    `basestring bool bytearray bytes classmethod complex dict Ellipsis enumerate float frozenset getattr int list long memoryview
     NotImplemented object property range reversed set slice staticmethod str tuple type unicode xrange zip ArithmeticError
     AssertionError AttributeError BaseException Exception ImportError IndexError KeyError LookupError NameError
     NotImplementedError OSError RuntimeError StopIteration TypeError ValueError Warning UserWarning abs len max min sum
     round sorted any all repr hash isinstance issubclass callable`,
  ),
  abc: words('ABC ABCMeta abstractclassmethod abstractmethod abstractproperty abstractstaticmethod'),
  array: words('ArrayType _array_reconstructor array'),
  codecs: words('encode decode'),
  collections: words(
    `AsyncGenerator AsyncIterable AsyncIterator Awaitable Buffer ByteString Callable ChainMap Collection Container
     Coroutine Counter Generator Hashable ItemsView Iterable Iterator KeysView Mapping MappingView
     MutableMapping MutableSequence MutableSet OrderedDict Reversible Sequence Set Sized UserDict UserList
     UserString ValuesView _deque_iterator _odict_iterator _tuplegetter defaultdict deque dict_items dict_keys
     dict_values namedtuple`,
  ),
  contextvars: words('ContextVar'),
  copy: words('copy deepcopy'),
  copyreg: words('_reconstructor __newobj__ __newobj_ex__ __reduce_ex__'),
  dataclasses: words(
    `Field FrozenInstanceError InitVar KW_ONLY MISSING _DataclassParams _FIELD _FIELD_BASE _FIELD_CLASSVAR
     _FIELD_INITVAR _HAS_DEFAULT_FACTORY _HAS_DEFAULT_FACTORY_CLASS _KW_ONLY_TYPE _MISSING_TYPE asdict astuple
     field fields is_dataclass replace`,
  ),
  datetime: words('MAXYEAR MINYEAR UTC date datetime time timedelta timezone tzinfo'),
  decimal: words(
    `BasicContext Clamped Context ConversionSyntax Decimal DecimalException DecimalTuple DefaultContext
     DivisionByZero DivisionImpossible DivisionUndefined ExtendedContext FloatOperation Inexact InvalidContext
     InvalidOperation MAX_EMAX MAX_PREC MIN_EMIN MIN_ETINY Overflow ROUND_05UP ROUND_CEILING ROUND_DOWN
     ROUND_FLOOR ROUND_HALF_DOWN ROUND_HALF_EVEN ROUND_HALF_UP ROUND_UP Rounded Subnormal Underflow getcontext
     localcontext`,
  ),
  enum: words(
    `CONFORM CONTINUOUS EJECT Enum EnumCheck EnumMeta EnumType Flag FlagBoundary IntEnum IntFlag KEEP NAMED_FLAGS
     Enum.__new__ Flag.__new__ ReprEnum STRICT StrEnum UNIQUE auto member nonmember pickle_by_enum_name pickle_by_global_name property
     unique`,
  ),
  fractions: words('Fraction'),
  functools: words('partial partialmethod cached_property lru_cache _lru_cache_wrapper wraps singledispatch'),
  inspect: words('Signature Parameter _ParameterKind _empty'),
  io: words('BytesIO StringIO'),
  ipaddress: words(
    `AddressValueError IPV4LENGTH IPV6LENGTH IPv4Address IPv4Interface IPv4Network IPv6Address IPv6Interface
     IPv6Network NetmaskValueError collapse_addresses get_mixed_type_key ip_address ip_interface ip_network
     summarize_address_range v6_int_to_packed`,
  ),
  itertools: words('chain count cycle repeat product'),
  json: words('JSONDecodeError JSONDecoder JSONEncoder dump dumps load loads'),
  'json.decoder': words('JSONDecodeError JSONDecoder'),
  'json.encoder': words('JSONEncoder'),
  logging: words('getLogger Logger'),
  math: words(
    `acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist e erf erfc exp exp2 expm1
     fabs factorial floor fma fmod frexp fsum gamma gcd hypot inf isclose isfinite isinf isnan isqrt lcm ldexp
     lgamma log log10 log1p log2 modf nan nextafter perm pi pow prod radians remainder sin sinh sqrt sumprod tan
     tanh tau trunc ulp`,
  ),
  cmath: words(
    `acos acosh asin asinh atan atanh cos cosh e exp inf infj isclose isfinite isinf isnan log log10 nan nanj phase
     pi polar rect sin sinh sqrt tan tanh tau`,
  ),
  numbers: words('Complex Integral Number Rational Real'),
  pathlib: words('Path PosixPath PurePath PurePosixPath PureWindowsPath WindowsPath'),
  queue: words('Queue LifoQueue PriorityQueue'),
  random: words(
    `Random SystemRandom betavariate binomialvariate choice choices expovariate gammavariate gauss getrandbits
     getstate lognormvariate normalvariate paretovariate randbytes randint random randrange sample seed setstate
     shuffle triangular uniform vonmisesvariate weibullvariate`,
  ),
  re: words('_compile compile Pattern RegexFlag'),
  statistics: words(
    `NormalDist StatisticsError correlation covariance fmean geometric_mean harmonic_mean linear_regression mean
     median median_grouped median_high median_low mode multimode pstdev pvariance quantiles stdev variance`,
  ),
  string: words(
    `Template ascii_letters ascii_lowercase ascii_uppercase capwords digits hexdigits octdigits printable punctuation
     whitespace`,
  ),
  time: words('struct_time time perf_counter monotonic'),
  types: words(
    `AsyncGeneratorType BuiltinFunctionType BuiltinMethodType CellType ClassMethodDescriptorType CodeType
     CoroutineType DynamicClassAttribute EllipsisType FunctionType GeneratorType GenericAlias
     GetSetDescriptorType LambdaType MappingProxyType MemberDescriptorType MethodDescriptorType MethodType
     MethodWrapperType ModuleType NoneType NotImplementedType SimpleNamespace UnionType WrapperDescriptorType
     resolve_bases`,
  ),
  typing: words(
    `AbstractSet Annotated Any AnyStr AsyncContextManager AsyncGenerator AsyncIterable AsyncIterator Awaitable
     BinaryIO ByteString Callable ChainMap ClassVar Collection Concatenate Container ContextManager Coroutine
     Counter DefaultDict Deque Dict Final ForwardRef FrozenSet Generator Generic Hashable IO ItemsView Iterable
     Iterator KeysView List Literal LiteralString Mapping MappingView Match MutableMapping MutableSequence
     MutableSet NamedTuple Never NewType NoDefault NoReturn NotRequired Optional OrderedDict ParamSpec
     ParamSpecArgs ParamSpecKwargs Pattern Protocol ReadOnly Required Reversible Self Sequence Set Sized
     SupportsAbs SupportsBytes SupportsComplex SupportsFloat SupportsIndex SupportsInt SupportsRound
     TYPE_CHECKING Text TextIO Tuple Type TypeAlias TypeAliasType TypeGuard TypeIs TypeVar TypeVarTuple
     TypedDict Union Unpack ValuesView assert_never assert_type cast dataclass_transform final get_args
     get_origin is_typeddict overload reveal_type runtime_checkable _GenericAlias _ProtocolMeta _TypedDictMeta`,
  ),
  uuid: words('UUID SafeUUID'),
  warnings: words('warn'),
  weakref: words(
    `CallableProxyType ProxyType ReferenceType WeakKeyDictionary WeakMethod WeakSet WeakValueDictionary
     getweakrefcount getweakrefs proxy ref`,
  ),
  zoneinfo: words('ZoneInfo ZoneInfo._unpickle ZoneInfoNotFoundError'),
};
const OPERATOR_EXCEPTIONS = words('call');
/** Those of the above that the library calls dangerous. The machine follows what they look up or call. */
const FOLLOWED = words(
  `builtins.getattr builtins.staticmethod codecs.decode codecs.encode functools.lru_cache functools.partial
   functools.partialmethod functools.singledispatch operator.attrgetter operator.itemgetter operator.methodcaller
   types.CodeType types.FunctionType types.LambdaType types.MethodType`,
);
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
  'collections.abc': 'collections',
  'pathlib._local': 'pathlib',
  'pathlib._abc': 'pathlib',
};
/** Classes whose methods are harmless, so that `dict.fromkeys` is. */
const HARMLESS_METHODS = words('builtins collections datetime decimal');
/** Other methods with an underscore lead to attributes by name, to other objects, or to internals. */
const HARMLESS_SPECIAL_METHODS = words(
  `__new__ __init__ __repr__ __str__ __format__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __hash__ __len__ __bool__ __contains__
   __getitem__ __iter__ __reduce__ __reduce_ex__`,
);
/** Modules that a package imports, and that a pickle can so reach through the package. */
const MODULES_IN_PACKAGES = words(
  `os sys subprocess importlib builtins shutil socket ctypes posix nt pty runpy pickle code codeop marshal tempfile
   multiprocessing threading asyncio urllib http ftplib smtplib webbrowser pdb inspect platform`,
);
/** Attributes that lead from any object to every module. */
const GATES = words(
  '__globals__ __builtins__ __subclasses__ __import__ __loader__ __code__ __mro__ __base__ __dict__ __getattribute__ __self__',
);

/** Whether an import is more than data, the locked packages and the model's own code need. */
export function isBeyondPackages(found: PickleImport, { packages, code }: ProvidedModules): boolean {
  const { module, name, standard, dangerous } = found;
  const [top = ''] = module.split('.');
  const parts = name.split('.');
  if (parts.some((part) => GATES.has(part))) return true;
  if (standard) return name !== '' && !isHarmless(module, parts, dangerous);
  if (top === '__main__' || top === '__mp_main__' || code.has(top)) return false;
  if (!packages.has(top)) return true;
  if (top === 'cloudpickle') return false; // what its functions import is followed
  return dangerous || parts.some((part) => MODULES_IN_PACKAGES.has(part));
}

function isHarmless(module: string, parts: readonly string[], dangerous: boolean): boolean {
  const [first = '', ...rest] = parts;
  const [top = '', ...below] = module.split('.');
  const path = [readOwn(OTHER_NAMES, top) ?? top, ...below].join('.');
  const known = readOwn(OTHER_NAMES, path) ?? path;
  const name = parts.join('.');
  if (known === 'operator') return rest.length === 0 && !OPERATOR_EXCEPTIONS.has(first) && /^[a-z]/.test(first);
  if (dangerous && !FOLLOWED.has(`${known}.${name}`)) return false;
  const names = readOwn(HARMLESS, known);
  if (names === undefined || !(names.has(first) || names.has(name))) return false;
  return rest.length === 0 || names.has(name) || (HARMLESS_METHODS.has(known) && rest.every(isHarmlessMethod));
}

function isHarmlessMethod(name: string): boolean {
  return !name.startsWith('_') || HARMLESS_SPECIAL_METHODS.has(name);
}
