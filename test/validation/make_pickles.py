# ruff: noqa: E501
"""Makes a model folder with one file for each case: honest pickles, and ones that an attacker would write."""

import bz2
import collections
import datetime
import functools
import gzip
import io
import json
import lzma
import operator
import os
import pickle
import re
import struct
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

out = Path(sys.argv[1])


class Run:
    def __reduce__(self):
        return os.system, ("true",)


def write(name, data):
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    (out / name).write_bytes(data)


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/"), data)
    return file.getvalue()


def text(s):
    return b"\x8c" + bytes([len(s)]) + s.encode()


def name(module, attribute):
    return text(module) + text(attribute) + b"\x93"


evil = pickle.dumps(Run())
honest = {
    "a": [1.5, None, True, b"x", {1, 2}, frozenset([3]), range(3), slice(1), 2j, bytearray(b"y")],
    "when": datetime.datetime(2020, 1, 1),
    "map": collections.OrderedDict(a=collections.Counter("aab"), b=collections.defaultdict(list)),
    "part": functools.partial(max, 1),
    "get": operator.itemgetter(0),
    "path": Path("x"),
    "regex": re.compile("a+"),
    "method": {}.get,
}
write("MLmodel", b"flavors: {}\n")
write("code/helper/__init__.py", b"")
for protocol in range(6):
    write(f"honest-{protocol}.pkl", pickle.dumps(honest if protocol > 1 else {"a": 1}, protocol))
    write(f"evil-{protocol}.pkl", pickle.dumps(Run(), protocol))
cloudpickle = (
    b"\x80\x05" + name("cloudpickle.cloudpickle", "subimport") + text("pandas") + b"\x85R0"
    + name("cloudpickle.cloudpickle", "subimport") + text("os") + b"\x85R0"
    + name("helper", "Feature") + b")\x81."
)  # fmt: skip
write("honest-cloudpickle.pkl", cloudpickle)
write("honest-torch.pt", zipped(**{"archive__data.pkl": pickle.dumps({"w": 1}), "archive__data__0": b"\x80\x02" * 40}))
write(
    "honest.npy",
    b"\x93NUMPY\x01\x00"
    + struct.pack("<H", 60)
    + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }".ljust(60)
    + b"\0" * 8,
)
write("honest.json", json.dumps({"c": "os"}).encode())
write("honest.bin", os.urandom(64).replace(b"\x80", b"\x00"))
# What hides an import.
write("gzip.pkl", gzip.compress(evil))
write("zlib.joblib", zlib.compress(evil))
write("xz.joblib", lzma.compress(evil))
write("lzma.joblib", lzma.compress(evil, format=lzma.FORMAT_ALONE))
write("bz2.joblib", bz2.compress(evil))
write("twice.pkl", gzip.compress(bz2.compress(evil)))
write("torch.pt", zipped(**{"archive__data.pkl": evil}))
write("any-member.pt", zipped(**{"archive__weights": evil}))
write("any-name.json", pickle.dumps(Run(), 0))
write("prefix.zip", b"junk" + zipped(x=evil))
file = io.BytesIO()
with tarfile.open(fileobj=file, mode="w:gz") as archive:
    info = tarfile.TarInfo("x.pkl")
    info.size = len(evil)
    archive.addfile(info, io.BytesIO(evil))
write("a.tar.gz", file.getvalue())
write(
    "object.npy",
    b"\x93NUMPY\x01\x00"
    + struct.pack("<H", 60)
    + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(60)
    + evil,
)
write("model.skops", zipped(**{"schema.json": json.dumps({"content": [{"__module__": "os", "__class__": "system"}]})}))
write("nested.pkl", pickle.dumps({"blob": evil}))
write("second.pkl", pickle.dumps(1) + evil)
write("cut.pkl", evil[:-1])
write("broken-later.pkl", evil[:-1] + b"\xff" * 9)
write(
    "memo.pkl",
    b"\x80\x04" + text("system") + b"\x94" + text("os") + b"\x94" + b"h\x01h\x00\x93" + text("true") + b"\x85R.",
)
write("pop.pkl", b"\x80\x04" + text("os") + text("x") + b"0" + text("system") + b"\x93" + text("true") + b"\x85R.")
write(
    "getattr.pkl",
    b"\x80\x04"
    + name("builtins", "getattr")
    + name("importlib", "import_module")
    + text("os")
    + b"\x85R"
    + text("system")
    + b"\x86R"
    + text("true")
    + b"\x85R.",
)
write(
    "subimport.pkl",
    b"\x80\x04"
    + name("builtins", "getattr")
    + name("cloudpickle.cloudpickle", "subimport")
    + text("os")
    + b"\x85R"
    + text("system")
    + b"\x86R"
    + text("true")
    + b"\x85R.",
)
write(
    "attrgetter.pkl",
    b"\x80\x04"
    + name("operator", "attrgetter")
    + text("system")
    + b"\x85R"
    + name("cloudpickle.cloudpickle", "subimport")
    + text("os")
    + b"\x85R\x85R"
    + text("true")
    + b"\x85R.",
)
write("through-package.pkl", b"\x80\x04" + name("pandas.io.common", "os.system") + text("true") + b"\x85R.")
write("dotted.pkl", b"\x80\x04" + name("pathlib", "Path.write_text") + b".")
write("globals.pkl", b"\x80\x04" + name("pandas", "DataFrame.__init__.__globals__") + b".")
write("unknown-package.pkl", b"\x80\x04" + name("evilpackage", "run") + b".")
write("instance.pkl", b"(S'true'\nios\nsystem\n.")
write("extension.pkl", b"\x80\x02\x82\x01.")
write("lz4.joblib", b"\x04\x22\x4d\x18" + b"x" * 20)
# joblib: the bytes of an array between two opcodes, with an import after them.
wrapper = (
    name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}(" + text("dtype") + name("numpy", "dtype") + text("f8") + b"\x89\x88\x87R"
    + text("shape") + b"K\x03\x85" + text("numpy_array_alignment_bytes") + b"K\x10ub" + b"\x02\xff\xff" + b"\x93.\x80R" * 6
)  # fmt: skip
write("honest-array.joblib", b"\x80\x04](" + wrapper + b"e.")
write("array.joblib", b"\x80\x04](" + wrapper + name("os", "system") + text("true") + b"\x85Re.")
# What would exhaust a careless reader.
write("deep.pkl", b"\x80\x04" + b"]" * 300_000 + b"a" * 299_999 + b".")
write("many.pkl", b"\x80\x04(" + b"K\x01" * 500_000 + b"l.")
write("huge-claim.pkl", b"\x80\x04\x8e" + struct.pack("<Q", 1 << 60) + b"x")
write("huge-memo.pkl", b"\x80\x04K\x01r" + struct.pack("<I", 0xFFFFFFFF) + b"0" + name("os", "system") + b".")
write("bomb.pkl.gz", gzip.compress(b"\0" * (300 << 20), 1))
write("deep-schema.skops", zipped(**{"schema.json": b"[" * 200_000}))
write("empty.pkl", b"")
for ending in ("md", "py", "safetensors"):
    write(f"named.{ending}", b"\x80\x04" + name("os", "system") + text("true") + b"\x85R.")
write("text.rst", b"cos\nsystem\n(S'true'\ntR.")
write("honest.py", b"import os\nclass Model:\n    pass\n")
write("honest.safetensors", b"\x80\x01\0\0\0\0\0\0{}")
