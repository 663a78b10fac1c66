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
union = pickle.dumps([str | None, {"again": int | str}], 4)
assert b"reduce" in union
write("honest-union.pkl", union)
write("honest-union-twice.pkl", union + union)
# The same function with anything else, or kept for a later use.
pieces = name("_functools", "reduce") + b"\x94"
combine = name("_operator", "or_") + b"(" + name("builtins", "int") + name("builtins", "str") + b"t\x86R"
for case, rest in {
    "other": pieces + name("os", "system") + b"(" + text("true") + text("x") + b"t\x86R",
    "memo": pieces + combine + b"0h\x00" + name("pandas", "eval") + b"(" + text("x") + text("y") + b"t\x86R",
    "argument": name("functools", "partial") + pieces + name("pandas", "eval") + b"\x86R",
    "result": pieces + combine + b"0h\x00",
    "unlisted": pieces + b"2" + combine,
    "attribute": name("builtins", "getattr") + name("cloudpickle.cloudpickle", "subimport") + text("functools") + b"\x85R"
    + text("reduce") + b"\x86R" + name("pandas", "eval") + b"(" + text("x") + text("y") + b"t\x86R",
    "wrong-combiner": pieces + name("pandas", "or_") + b")\x86R",
}.items():  # fmt: skip
    write(f"reduce-{case}.pkl", b"\x80\x04" + rest + b".")
write("reduce-cut.pkl", b"\x80\x04" + pieces + combine)
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


# Keras: objects name modules and classes; a Lambda layer has byte code. As Keras 3.12 and tf.keras 2.15 write them.
def model(*layers):
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "s", "layers": [*layers]},
        "registered_name": None,
    }


relu = {"module": "builtins", "class_name": "function", "config": "relu", "registered_name": "function"}
dense = {
    "module": "keras.layers",
    "class_name": "Dense",
    "config": {"units": 1, "activation": relu},
    "registered_name": None,
}
byte_code = {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}}
new_lambda = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "config": {"function": byte_code},
    "registered_name": None,
}
called = {"module": "os", "class_name": "system", "config": {"command": "true"}, "registered_name": "x"}
old_dense = {"class_name": "Dense", "config": {"units": 1, "activation": "relu"}}
old_named = {
    "class_name": "Lambda",
    "config": {
        "function": "scale",
        "function_type": "function",
        "module": "helper",
        "output_shape": [1],
        "output_shape_type": "raw",
    },
}
old_lambda = {"class_name": "Lambda", "config": {"function": ["4wEAAAA=", None, None], "function_type": "lambda"}}
old_tuple = {
    "class_name": "Lambda",
    "config": {"function": {"class_name": "__tuple__", "items": ["4wEAAAA=", None, None]}},
}
old_shape = {
    "class_name": "Lambda",
    "config": {"function": "scale", "output_shape": ["4wEAAAA=", None, None], "output_shape_type": "lambda"},
}


def keras(*layers):
    return zipped(
        **{"metadata.json": b"{}", "config.json": json.dumps(model(*layers)).encode(), "model.weights.h5": HDF5}
    )


def hdf5(config, name=b"model_config", before=b""):
    """The bytes around an attribute's text; the rest of the format is in the way of nobody."""
    return before + HDF5 + b"\0" * 99 + name + b"\0" * 40 + config + b"\0" * 7 + os.urandom(4096)


HDF5 = b"\x89HDF\r\n\x1a\n"
write("honest.keras", keras(dense))
write("honest.h5", hdf5(json.dumps(model(old_dense, old_named)).encode()))
write("honest-weights.h5", hdf5(b'{"class_name": "Lambda', b"layer_names"))
write("lambda.keras", keras(dense, new_lambda))
write("lambda-deep.keras", keras({**dense, "config": model({"list": [[new_lambda]]})}))
write("called.keras", keras(called))
write("damaged.keras", zipped(**{"config.json": b'{"class_name": "Lambda"'}))
write("unpacked/config.json", json.dumps(model(new_lambda)).encode())
write("other/config.json", json.dumps({"module": "os", "config": {"class_name": "x"}}).encode())
write("lambda.h5", hdf5(json.dumps(model(old_lambda)).encode()))
write("lambda-tuple.h5", hdf5(json.dumps(model(old_tuple), indent=2).encode()))
write("lambda-shape.hdf5", hdf5(json.dumps(model(old_shape)).encode()))
write("lambda-any-name", hdf5(json.dumps(model(old_lambda)).encode(), before=b"x" * 512))
write("lambda-escaped.h5", hdf5(json.dumps(model(old_lambda)).replace("class_name", "class\\u005fname").encode()))
write(
    "called.h5", hdf5(json.dumps({"loss": called}).encode() + b"\0" + json.dumps(model()).encode(), b"training_config")
)
write("damaged.h5", hdf5(b"{'class_name': 'Lambda'}"))
write("saved/keras_metadata.pb", b"\x0a\xff\x01" + json.dumps(model(old_tuple)).encode() + b"\x12\x03abc")


# A file that is valid in two formats, and a pickle that no mark begins.
call = b"cos\nsystem\n(S'true'\ntR."
decoy = b'{"class_name":"x"}'


def swallow(*before):
    """A pickle whose first text is another format."""
    swallowed = b"".join(before)
    return b"T" + struct.pack("<I", len(swallowed)) + swallowed + b"0" + call


write("two/hdf5", swallow(b"\0" * 507, HDF5, b"\0" * 99))
write("two/config.json", swallow(b"\0", decoy))
write("two/keras_metadata.pb", swallow(b"\0", decoy))
write("two/zip", call + b"PK\x05\x06" + b"\0" * 18)
write("two/tar", swallow(b"\0" * 252, b"ustar", b"\0" * 512))
write("two/member.pt", zipped(**{"archive__x": swallow(b"abc")}))
write("two/descr.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", 60) + b"{'descr': 'object', 'fortran_order': False, 'shape': (1,), }".ljust(60) + evil)  # fmt: skip
write("two/after.gz", gzip.compress(evil) + b"junk")
write("two/streams.joblib", zlib.compress(evil[:9]) + zlib.compress(evil[9:]))
write("two/old.joblib", b"ZF" + hex(len(evil)).encode().ljust(19) + zlib.compress(evil))
write("two/pickle.keras", b"\x80\x02N." + keras(new_lambda))
write("two/array.keras", b"\x93NUMPY" + keras(new_lambda))
write("two/block.h5", hdf5(json.dumps(model(old_lambda)).encode(), before=b"\x80\x02N.".ljust(4 << 20, b"\0")))
# joblib skips the bytes of an array, and pickle.load executes them.
skipped = (
    name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}(" + text("dtype") + name("numpy", "dtype") + text("u1") + b"\x89\x88\x87R"
    + text("shape") + b"K" + bytes([len(call)]) + b"\x85ub" + call
)  # fmt: skip
write("skipped.pkl", b"\x80\x04](" + skipped + b"e.")
# What of Python evaluates text, writes files or leads to another module.
write("exec-1.pkl", b"\x80\x04" + name("dataclasses", "_create_fn") + b".")
write("exec-2.pkl", b"\x80\x04" + name("typing", "_eval_type") + b".")
write("exec-3.pkl", b"\x80\x04" + name("builtins", "len.__self__.exec") + b".")
write("exec-4.pkl", b"\x80\x04" + name("operator", "__call__") + b".")
write("exec-5.pkl", b"\x80\x04" + name("statistics", "sys") + b".")
write(
    "exec-6.pkl",
    b"\x80\x04" + name("builtins", "getattr") + name("pathlib", "Path") + text("x") + b"\x85R" + text("write_text")
    + b"\x86R" + text("x") + b"\x85R.",
)  # fmt: skip
# Keras looks for functions among Python's own.
function = {**relu, "config": "exec"}
write("builtin.keras", keras({**dense, "config": {"activation": function}}))
write("honest-custom.keras", keras({**dense, "config": {"activation": {**relu, "config": "my_activation"}}}))
write("listed.keras", zipped(**{"config.json": json.dumps([{"layers": [called]}])}))
write("saved-old/saved_model.pb", b"\x0a\xff\x01" + json.dumps(model(old_tuple)).encode() + b"\x12\x03abc")
write("honest-graph/saved_model.pb", b"\x0a\xff\x01Conv2D\x12\x03abc")
write("linked/x.dat", b"\x0a\xff\x01" + json.dumps(model(old_tuple)).encode() + b"\x12\x03abc")
(out / "linked/keras_metadata.pb").symlink_to("x.dat")
