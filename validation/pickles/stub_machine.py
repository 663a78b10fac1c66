"""Follows a pickle with objects that do nothing: no import is made and no function is called.

The standard library's own pickle machine runs, so that memo, frames and stack mean here what they mean for a model
server. Names are recorded where it would import them, also those that a call would look up (`getattr`, `subimport`).
"""

import io
import pickle
import re

#: The last part of the class's name, because other modules import it too.
WRAPPER = "NumpyArrayWrapper"
IMPORTERS = {
    "cloudpickle.cloudpickle.subimport",
    "importlib.import_module",
    "builtins.__import__",
    "__builtin__.__import__",
}
FUNCTION_MAKERS = {
    "cloudpickle.cloudpickle._make_function",
    "types.FunctionType",
    "types.LambdaType",
    "dill._dill._create_function",
}
WRAPPERS_OF_FUNCTIONS = {"functools.partial", "_functools.partial", "types.MethodType"}
#: Attributes that lead from any object to every module.
GATES = {"__globals__", "__builtins__", "__subclasses__", "__import__", "__loader__", "__code__", "__mro__", "__base__"}
GATES |= {"__getattribute__", "__self__", "_evaluate", "evaluate_forward_ref"}
#: Methods of a path that read and write files. They are looked up on objects that a call has returned.
PATH_METHODS = {"write_text", "write_bytes", "read_text", "read_bytes", "unlink", "rmdir", "touch", "mkdir"}
PATH_METHODS |= {"symlink_to", "hardlink_to", "link_to", "chmod", "lchmod"}
#: Other classes have methods of these names too, so they count only in a pickle that imports pathlib.
SHARED_PATH_METHODS = {"open", "rename", "replace", "copy", "move", "copy_into", "move_into"}
#: cloudpickle writes types such as `str | None` as a call of `reduce`, which is harmless with this first argument only.
REDUCERS = {("functools", "reduce"), ("_functools", "reduce")}
COMBINERS = {("operator", "or_"), ("_operator", "or_")}
NESTED_DEPTH = 3


class Stub:
    """An object of the pickle. `origin` is the name that it would be in a module, if it is one."""

    def __init__(self, origin=None, callee=None, args=()):
        self.origin, self.callee, self.args, self.state = origin, callee, args, None

    def append(self, _):
        pass

    extend = add = update = append

    def __setitem__(self, key, value):
        pass


class Machine(pickle._Unpickler):
    """`imports` maps each name, module and attribute, to whether the pickle calls it."""

    dispatch = dict(pickle._Unpickler.dispatch)  # noqa: RUF012

    def __init__(self, file, imports, depth=0, skips_arrays=True):
        # With the default, ASCII, a text would end the scan that pandas and torch read.
        super().__init__(file, buffers=None, encoding="latin-1")
        self.raw, self.imports, self.depth, self.skips_arrays = file, imports, depth, skips_arrays
        #: How often `reduce` came onto the stack, less the harmless calls. 0 at the end: nothing else uses it.
        self.reducers = 0

    def load(self):
        value = super().load()
        for key in REDUCERS.intersection(self.imports):
            if self.reducers == 0 and not self.imports[key]:
                del self.imports[key]
        if self.reducers > 0:
            self.record(*min(REDUCERS))
        return value

    def find_class(self, module, name):
        if not isinstance(module, str) or not isinstance(name, str):
            raise pickle.UnpicklingError("a name is not a text")
        return self.count_reducer(self.record(module, name))

    def count_reducer(self, value):
        if isinstance(value, Stub) and value.origin in REDUCERS:
            self.reducers += 1
        return value

    def record(self, module, name, called=False):
        key = (module, name)
        self.imports[key] = self.imports.get(key, False) or called
        return Stub(origin=key)

    def persistent_load(self, pid):
        return Stub()

    def get_extension(self, code):
        self.append(self.record("copyreg", f"extension {code}"))

    def call(self, function, args):
        if not isinstance(function, Stub):
            return Stub()
        args = args if isinstance(args, tuple) else (args,)
        if function.origin is None:
            return self.call_result(function, args)
        module, name = function.origin
        self.record(module, name, called=True)
        full = f"{module}.{name}"
        if full in IMPORTERS and args and isinstance(args[0], str):
            return self.record(args[0], "")
        if name == "getattr" and len(args) > 1 and isinstance(args[1], str):
            return self.attribute(args[0], args[1])
        if module.startswith("_operator") or module == "operator":
            for text in {"attrgetter": args, "methodcaller": args[:1]}.get(name, ()):
                self.attribute(Stub(), text)
        if not module.startswith(("cloudpickle.", "dill.")):
            self.check_arguments(full, args)
        return Stub(callee=function, args=args)

    def check_arguments(self, full, args):
        """A function that is given a module may look anything up in it."""
        flat = [inner for a in args for inner in (a if isinstance(a, (list, tuple)) else [a])]
        for value in flat:
            if isinstance(value, Stub) and value.origin is not None and value.origin[1] == "":
                self.record(value.origin[0], f"(given to {full})", called=True)

    def check_functions(self, values):
        for value in values:
            maker = value.callee.origin if isinstance(value, Stub) and value.callee is not None else None
            if maker is not None and ".".join(maker) in FUNCTION_MAKERS:
                self.record("", "a function that the pickle contains", called=True)

    def call_result(self, function, args):
        """Calls what an earlier call has returned: `attrgetter("system")(os)`, or a function of the pickle."""
        maker = ".".join(function.callee.origin) if function.callee is not None and function.callee.origin else ""
        if maker in FUNCTION_MAKERS:
            self.record("", "a function that the pickle contains", called=True)
        for name in ("attrgetter", "methodcaller"):
            if maker.endswith(f"operator.{name}") and args:
                for text in function.args if name == "attrgetter" else function.args[:1]:
                    self.attribute(args[0], text, called=name == "methodcaller")
        if maker in WRAPPERS_OF_FUNCTIONS and function.args:
            self.check_functions((*function.args, *list_state(function.state)))
            return self.call(function.args[0], function.args[1:] + args)
        self.check_arguments("the result of a call", args)
        return Stub(callee=function, args=args)

    def attribute(self, value, name, called=False):
        name = str(name)
        if isinstance(value, Stub) and value.origin is not None:
            module, inner = value.origin
            return self.count_reducer(self.record(module, f"{inner}.{name}" if inner else name, called))
        parts = set(name.split("."))
        if GATES & parts:
            return self.record("builtins", f"getattr {name}", called=True)
        imports_paths = any(module in ("pathlib", "pathlib._local") for module, _ in self.imports)
        for method in parts & (PATH_METHODS | SHARED_PATH_METHODS if imports_paths else PATH_METHODS):
            self.record("pathlib", f"Path.{method}", called=True)
        return Stub()

    def load_reduce(self):
        args = self.stack.pop()
        function = self.stack[-1]
        if isinstance(function, Stub) and function.origin in REDUCERS and combines(args):
            self.reducers -= 1
            self.stack[-1] = Stub()
        else:
            self.stack[-1] = self.call(function, args)

    def load_dup(self):
        self.append(self.count_reducer(self.stack[-1]))

    def load_newobj(self):
        args = self.stack.pop()
        self.stack[-1] = self.call(self.stack[-1], args)

    def load_newobj_ex(self):
        named = self.stack.pop()
        if isinstance(named, dict):  # `sorted` and its like call what is given as `key`
            self.check_arguments("a call", tuple(named.values()))
            self.check_functions(named.values())
        self.load_newobj()

    def _instantiate(self, klass, args):
        self.append(self.call(klass, tuple(args)))

    def load_build(self):
        state = self.stack.pop()
        value = self.stack[-1]
        if not isinstance(value, Stub):
            return
        value.state = state
        if self.skips_arrays and value.callee is not None and is_wrapper(value.callee.origin):
            self.skip_array(state)

    def skip_array(self, state):
        """joblib writes the bytes of an array between two opcodes."""
        dtype, shape = state["dtype"], state["shape"]
        kind, size = re.fullmatch(r"[<>|=]?([a-zA-Z?])(\d*)", dtype.args[0]).groups()
        if kind == "O":
            Machine(self.raw, self.imports, self.depth, skips_arrays=False).load()  # joblib calls pickle.load
            return
        count = int(size or 1) * (4 if kind == "U" else 1)
        for length in shape:
            count *= length
        if "numpy_array_alignment_bytes" in state:
            count += self.raw.read(1)[0]
        while count > 0:
            block = self.raw.read(min(count, 1 << 20))
            if not block:
                raise EOFError("an array is cut off")
            count -= len(block)

    def check_nested(self):
        """A pickle in a pickle: something may load it later."""
        value = self.stack[-1]
        if len(value) > 4 and value[0] == 0x80 and value[1] <= 5 and b"." in value[-1:] and self.depth < NESTED_DEPTH:
            found = {}
            try:
                Machine(io.BytesIO(bytes(value)), found, self.depth + 1).load()
            except (RecursionError, MemoryError):
                raise
            except Exception:
                found = {key: called for key, called in found.items() if called}
            for key, called in found.items():
                self.record(*key, called)

    def load_next_buffer(self):
        self.append(Stub())

    def load_readonly_buffer(self):
        pass


def list_state(state):
    """What `functools.partial` takes from its state: a function, arguments and named arguments."""
    if not isinstance(state, tuple):
        return
    for value in state:
        yield from value if isinstance(value, tuple) else value.values() if isinstance(value, dict) else [value]


def is_wrapper(origin):
    return origin is not None and origin[1].split(".")[-1] == WRAPPER


def combines(args):
    return isinstance(args, tuple) and len(args) == 2 and isinstance(args[0], Stub) and args[0].origin in COMBINERS


def replace(code, method):
    Machine.dispatch[code[0]] = method


replace(pickle.REDUCE, Machine.load_reduce)
replace(pickle.NEWOBJ, Machine.load_newobj)
replace(pickle.NEWOBJ_EX, Machine.load_newobj_ex)
replace(pickle.BUILD, Machine.load_build)
replace(pickle.DUP, Machine.load_dup)
replace(pickle.NEXT_BUFFER, Machine.load_next_buffer)
replace(pickle.READONLY_BUFFER, Machine.load_readonly_buffer)
for opcode in (pickle.BINBYTES, pickle.SHORT_BINBYTES, pickle.BINBYTES8, pickle.BYTEARRAY8):

    def load_and_check(self, load=pickle._Unpickler.dispatch[opcode[0]]):
        load(self)
        self.check_nested()

    replace(opcode, load_and_check)

for opcode in (pickle.GET, pickle.BINGET, pickle.LONG_BINGET):

    def load_from_memo(self, load=pickle._Unpickler.dispatch[opcode[0]]):
        load(self)
        self.count_reducer(self.stack[-1])

    replace(opcode, load_from_memo)
