"""Makes the files of a model whose imports are hard to read: FOLDER."""

import os
import pickle
import sys
import types

folder = sys.argv[1]


def write(path, text):
    path = os.path.join(folder, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


class Named:
    def __init__(self, module):
        self.module = module

    def __reduce__(self):
        return (self.module.thing, ())


def make_pickle(module):
    """A pickle that names `MODULE.thing`."""
    sys.modules[module] = made = types.ModuleType(module)
    made.thing = type("thing", (), {"__module__": module, "__qualname__": "thing"})
    data = pickle.dumps(Named(made), protocol=4)
    del sys.modules[module]
    return data


def make_function():
    """cloudpickle saves a function of a notebook as the arguments of its code object, here of Python 3.11."""
    load, imports, constants = 100, 108, (None, 0, 1)
    lazy = [load, 1, load, 0, imports, 0]  # import lazy_in_pickle
    relative = [load, 2, load, 0, imports, 1]  # from . import neighbour
    standard = [load, 1, load, 0, imports, 2]  # import os
    code = bytes([*lazy, *relative, *standard])
    names, place = ("lazy_in_pickle", "neighbour", "os"), ("/home/me/notebook.py", "predict", "predict", 7)
    args = pickle.dumps((0, 0, 0, 0, 1, 0, code, constants, names, (), *place, b"", b"", (), ()), protocol=3)
    return b"\x80\x03ctypes\nCodeType\n" + args[2:-1] + b"R."


write(
    "model.py",
    """
import os, numpy as np
import sklearn.svm
import own_package.features
from google.cloud import storage
from typing import TYPE_CHECKING
import missing_at_load
if TYPE_CHECKING:
    import only_for_types
else:
    import missing_in_else
try:
    import optional_one
except (ImportError, ValueError):
    import replacement
try:
    import missing_in_try
except ValueError:
    pass
if sys.version_info >= (3, 12):
    import for_new_pythons
with suppress(ImportError):
    import suppressed
if np.__version__ > "2":
    import conditional
def predict(x):
    import lazy_one
class Model:
    import missing_in_class
    def predict(self): import own_package.lazy
""",
)
write("code/own_package/__init__.py", "")
write("code/own_package/shared.py", "import missing_in_shared\n")
write("code/own_package/lazy.py", "import missing_in_lazy_file\n")
write("code/train.py", "import never_loaded\n")
write("code/compiled.cpython-311-x86_64-linux-gnu.so", b"\x7fELF")
write("beside.py", "")
write("python_model.pkl", make_pickle("missing_in_pickle"))
write("artifacts/later.pkl", make_pickle("missing_in_artifact"))
write("data/text.dat", "count\nvalue\nother\n")
write("functions.pkl", make_function())

hostile = ["nul", "encoding", "bytes", "deep_brackets", "deep_branches", "deep_attributes", "large", "cut"]
write(
    "code/hostile.py", "".join(f"import {name}\n" for name in hostile) + "import compiled, beside, after_the_others\n"
)
write(
    "code/own_package/features.py",
    "import hostile, chain_0\nfrom . import shared\nfrom .shared import x\nfrom ..own_package.shared import y\n",
)
write("code/nul.py", b"import a\x00b\n")
write("code/encoding.py", b"# coding: nonsense\nimport q\n")
write("code/bytes.py", b"import \xff\xfe\n")
write("code/deep_brackets.py", "x = " + "(" * 100_000 + ")" * 100_000)
write("code/deep_branches.py", "if a: pass\n" + "elif b: import c\n" * 20_000)
write("code/deep_attributes.py", "a" + ".b" * 50_000)
write("code/large.py", "import too_large\n" * 100_000)
write("code/cut.py", "def f(:\n")
CHAIN = 2_000
for i in range(CHAIN):
    write(f"code/chain_{i}.py", f"import chain_{(i + 1) % CHAIN}, outside_the_chain\n")
os.symlink("/etc/passwd", os.path.join(folder, "code", "outside.py"))
