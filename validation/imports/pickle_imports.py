"""The modules that pickles import, and those that the functions in them import when they are called."""

import opcode
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "pickles"))
import scan_pickles
from source_imports import CALL, LOAD
from stub_machine import Machine, Stub

#: IMPORT_NAME, LOAD_CONST and EXTENDED_ARG of Python 3.8 to 3.12, and of 3.13.
OLD_CODES, CODES_OF_13 = (108, 100, 144), (75, 83, 71)
CODE_TYPES = {("types", "CodeType"), ("builtins", "code")}
CODES, NAMES, CHARACTERS = 20_000, 300, 200
#: What a trainer leaves beside a model, and only training loads again.
CHECKPOINTS = re.compile(
    r"(?:^|/)(?:training_args\.bin|(?:optimizer|scheduler|scaler)(?:_\d+)?\.(?:pt|bin)|rng_state(?:_\d+)?\.pth"
    r"|random_states_\d+\.pkl)$"
)
CONFIGURATIONS = re.compile(r"(?:config\.json|\.pb|\.h5|\.hdf5|\.keras)$")


class CodeMachine(Machine):
    """Also reads the code objects of the functions that cloudpickle saves by value. `codes` is set for each model."""

    codes = None
    instructions = None

    def check_nested(self):
        """What is in a pickle as bytes is perhaps loaded later, and perhaps never."""

    def call(self, function, args):
        if is_code_type(function) and len(CodeMachine.codes) < CODES:
            CodeMachine.codes.extend(list_code_imports(args, CodeMachine.instructions))
        return super().call(function, args)


def is_code_type(function):
    if not isinstance(function, Stub):
        return False
    if function.origin in CODE_TYPES:
        return True
    made = function.callee
    is_builtin_type = made is not None and made.origin is not None and made.origin[1] == "_builtin_type"
    return is_builtin_type and function.args[:1] == ("CodeType",)


def choose_instructions(python):
    """The numbers of three instructions in a minor version of Python. None: this program does not know them."""
    major, minor = (int(part) for part in python.split(".")[:2])
    if (major, minor) == sys.version_info[:2]:
        return tuple(opcode.opmap[name] for name in ("IMPORT_NAME", "LOAD_CONST", "EXTENDED_ARG"))
    if major != 3 or not 8 <= minor <= 13:
        return None
    return CODES_OF_13 if minor == 13 else OLD_CODES


def list_code_imports(args, instructions):
    """Pairs of a module and the place of the function. `args` are those of types.CodeType in any version."""
    at = next((i for i, value in enumerate(args) if isinstance(value, bytes)), None)
    if at is None or instructions is None or len(args) < at + 7:
        return
    code, constants, names, _, file, function = args[at : at + 6]
    line = next((value for value in args[at + 6 :] if isinstance(value, int)), 1)
    if not isinstance(constants, tuple) or not isinstance(names, tuple):
        return
    for module in list_import_names(code, constants, names, instructions):
        yield module, f"{text(function)}() of {os.path.basename(text(file)) or '?'}", line


def list_import_names(code, constants, names, instructions):
    """The level of an import is loaded two instructions before it. A relative import is of the model's own code."""
    import_name, load_constant, extended = instructions
    loaded, high, found = [], 0, 0
    for i in range(0, len(code) - 1, 2):
        operation, argument = code[i], code[i + 1] | high
        if operation == extended:
            high = (argument << 8) & 0xFFFFFF
            continue
        high = 0
        if operation == import_name and argument < len(names) and found < NAMES:
            level = loaded[-2] if len(loaded) > 1 else None
            is_absolute = level is None or level[0] != load_constant or read(constants, level[1]) in (0, None)
            if is_absolute and isinstance(names[argument], str):
                found += 1
                yield names[argument]
        loaded = [*loaded[-1:], (operation, argument)]


def read(constants, index):
    return constants[index] if index < len(constants) else None


def text(value):
    return re.sub(r"[^\x20-\x7e]", "?", value[:CHARACTERS]) if isinstance(value, str) else ""


def scan_model(folder, loaded, python, is_skipped):
    """Yields for each pickle its path, and tuples of module, when, function and line.

    `loaded` are the files that MLflow certainly loads. A folder that MLmodel names has others too.
    """
    # The imports are those that Python would make, so the library's own view is not needed.
    scan_pickles.Machine, scan_pickles.read_statically = CodeMachine, lambda data, dangerous: ({}, False)
    CodeMachine.instructions = choose_instructions(python)
    for path, file in scan_pickles.list_files(folder):
        is_loaded = path in loaded
        if is_skipped(path) or (not is_loaded and CHECKPOINTS.search(path)):
            continue
        CodeMachine.codes = []
        scan = scan_pickles.Scan()
        try:
            with open(file, "rb") as stream:
                scan.scan(path, stream)
        except (Exception, RecursionError):
            pass  # what was found before counts; the scan of pickles reports the file
        for inner, (names, _, why) in scan.found.items():
            if why is not None:
                continue  # other bytes can begin like a pickle
            # Keras has other ways to find the class of a layer.
            when = LOAD if is_loaded and not CONFIGURATIONS.search(inner) else CALL
            for module, name in names:
                if module and not module.startswith("__") and not name.startswith("("):
                    yield inner, (module[:CHARACTERS], when, "", 0)
            for module, function, line in CodeMachine.codes:
                yield inner, (module[:CHARACTERS], CALL, function, line)
            CodeMachine.codes = []
