"""Fuzzes sizes: whatever a client sends, time and memory grow with its size and not with its square. Needs mlflow.

Every shape is sent at a size and at eight times that size, to models with signatures of every kind. Linear work takes
8 times as long, quadratic work 64 times; the limit lies between them and is tried again when a busy machine is slow.
"""

import ctypes
import gc
import json
import math
import os
import sys
import time
import tracemalloc
import unittest
import warnings
from pathlib import Path
from unittest import mock

import mlflow.pyfunc
import numpy as np
from davit_server.scoring import mlflow_adapter
from davit_server.scoring.scorer import Scorer
from mlflow.models import Model, ModelSignature
from mlflow.types.schema import (
    Array,
    ColSpec,
    DataType,
    Map,
    Object,
    ParamSchema,
    ParamSpec,
    Property,
    Schema,
    TensorSpec,
)

TIMES = 8
MOST_TIMES = 24
FREE_SECONDS, FREE_BYTES = 0.25, 64 << 20
"""What may be spent at any size: the limits below which a table may be as sparse as it likes."""

BYTES_A_BYTE = 1000
"""Python's objects, pandas' columns of one value each and NumPy's texts of four bytes a character."""

TRIES = 3
SIZE = 500

TRIM_MEMORY = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
"""Gives free memory back to the kernel; only in glibc."""


class Silent:
    """A model that looks at nothing."""

    def predict(self, model_input, params=None):
        return [0]


PERSON = Object([Property("name", DataType.string), Property("tags", Array(DataType.string), required=False)])
SIGNATURES = {
    "none": None,
    "columns": Schema([ColSpec(DataType.double, "x"), ColSpec(DataType.string, "s", required=False)]),
    "doubles": Schema([ColSpec(DataType.double, name) for name in "xyz"]),
    "date and bytes": Schema([ColSpec(DataType.datetime, "x"), ColSpec(DataType.binary, "s", required=False)]),
    "nested": Schema([ColSpec(PERSON, "x"), ColSpec(Map(Array(DataType.string)), "s", required=False)]),
    "array": Schema([ColSpec(Array(DataType.string), "x"), ColSpec(Array(DataType.double), "s", required=False)]),
    "unnamed": Schema([ColSpec(DataType.string)]),
    "tensor": Schema([TensorSpec(np.dtype("float64"), (-1, 4))]),
    "wide tensor": Schema([TensorSpec(np.dtype("float64"), (-1, -1))]),
    "named tensors": Schema([TensorSpec(np.dtype("str"), (-1,), "x"), TensorSpec(np.dtype("float64"), (-1,), "s")]),
}
SOME = ("columns", "nested", "named tensors")
"""Signatures that all is sent to each time; with DAVIT_TEST_EVERYTHING to all of them."""

PARAMS = ParamSchema(
    [ParamSpec("scale", DataType.double, 1.0), ParamSpec("words", DataType.string, ["a"], shape=(-1,))]
)


def names(n):
    return [f"k{i}" for i in range(n)]


LONG_AND_SHORT = {"x": lambda n: ["a" * n, *["b"] * n]}
TABLES = {
    "one row of unknown keys": lambda n: [dict.fromkeys(names(n), 1)],
    "rows of different keys": lambda n: [{key: 1} for key in names(n)],
    "rows of different keys with x": lambda n: [{key: 1, "x": 1} for key in names(n)],
    "a full row and empty ones": lambda n: [dict.fromkeys(names(n), 1), *[{}] * n],
    "many rows": lambda n: [{"x": 1, "s": "a"}] * n,
    "ragged rows": lambda n: [[1] * n, *[[]] * n],
    "a long text and short ones": lambda n: [{"x": text, "s": text} for text in ["a" * n, *["b"] * n]],
    "lists of a long text and short ones": lambda n: [{"x": ["a" * n, *["b"] * n], "s": ["a" * n, *["b"] * n]}],
    "an object with a list of texts": lambda n: [{"x": {"name": "a", "tags": ["a" * n, *["b"] * n]}}],
    "an object of unknown properties": lambda n: [{"x": {"name": "a", **dict.fromkeys(names(n), 1)}}],
    "a map of lists": lambda n: [{"x": {"name": "a"}, "s": {key: ["b"] for key in names(n // 8)}}],
    "a list of lists": lambda n: [{"x": [[1]] * n, "s": [[1]] * n}],
    "deep lists": lambda n: deep(n),
    "quotes and backticks": lambda n: [{"x": "`' to type ` with dtype " * n, "s": "' for value `" * n}],
    "digits": lambda n: [{"x": "1" * n, "s": "1e" + "9" * n}],
    "blanks": lambda n: [{"x": " " * n + "!", "s": " " * n + "!"}],
    "dates": lambda n: [{"x": "2024-01-01" + "0" * n}, {"x": "1:" * n}],
    "base64": lambda n: [{"x": "2024-01-01", "s": "=" * n}],
    "a number for the table": lambda n: 1,
    "empty lists": lambda n: [[]] * n,
    "nulls": lambda n: [None] * n,
    "large integers": lambda n: [{"x": (1 << 61) - 1 << 61, "s": 10**300}] * n,
}
COLUMNAR = {
    "a long text and short ones": lambda n: {"x": ["a" * n, *["b"] * n], "s": ["a" * n, *["b"] * n]},
    "unknown columns": lambda n: {"x": [1], **{key: [1] for key in names(n)}},
    "one long and many short columns": lambda n: {"x": [1] * n, **dict.fromkeys(names(n), 1)},
    "objects of different keys": lambda n: {"x": {key: {key: 1} for key in names(n)}},
    "different keys below known ones": lambda n: {key: {key: 1} for key in names(n)},
    "a list of texts alone": lambda n: ["a" * n, *["b"] * n],
    "texts in lists": lambda n: [["a" * n], *[["b"]] * n],
}
SPLITS = {
    "a value for a large table": lambda n: {"data": 0, "columns": names(n), "index": list(range(n))},
    "no data for a large table": lambda n: {"data": [], "columns": names(n), "index": list(range(n))},
    "columns of one value": lambda n: {"data": dict.fromkeys(names(n), 1), "index": list(range(n))},
    "objects for columns": lambda n: {"data": {key: {key: 1} for key in names(n)}},
    "rows of different keys": lambda n: {"data": [{key: 1} for key in names(n)]},
    "ragged rows": lambda n: {"data": [[1] * n, *[[]] * n]},
    "one wide row": lambda n: {"columns": ["x", *names(n)], "data": [[1] * (n + 1)]},
    "one wide row without names": lambda n: {"data": [[1] * n]},
    "a column many times": lambda n: {"columns": ["x"] * n, "data": [[1] * n]},
    "an unknown column many times": lambda n: {"columns": ["x", *["k"] * n], "data": [[1] * (n + 1)]},
    "levels of columns": lambda n: {"columns": [["x"]] * n, "data": [[1] * n]},
    "levels of the index": lambda n: {"columns": ["x"], "index": [["a"]] * n, "data": [[1]] * n},
    "integers with one hash": lambda n: {"columns": [i * ((1 << 61) - 1) for i in range(n)], "data": [[1] * n]},
    "an index with one hash": lambda n: {
        "columns": ["x"], "index": [i * ((1 << 61) - 1) for i in range(n)], "data": [[1]] * n
    },
    "many rows": lambda n: {"columns": ["z", "y", "x"], "data": [[1, 2, 3]] * n},
}  # fmt: skip
CSVS = {
    "a wide header and short lines": lambda n: ",".join(["x", *names(n)]) + "\n" + "1\n" * n,
    "a column many times": lambda n: ",".join(["x"] * n) + "\n" + ",".join(["1"] * n) + "\n",
    "names that are taken": lambda n: ",".join(["x", *(f"x.{i}" for i in range(1, n)), "x"]) + "\n1\n",
    "a wide row": lambda n: ",".join(["x", *names(n)]) + "\n" + "1," * n + "1\n",
    "many rows": lambda n: "x,s\n" + "1,a\n" * n,
    "an open quote": lambda n: 'x,s\n"' + "1,a\n" * n,
    "quotes": lambda n: "x,s\n" + "\"'`" * n + "\n",
    "blank lines": lambda n: "x,s\n" + "\n" * n + "1,a\n",
    "blanks": lambda n: "x,s\n" + " " * n + "!,a\n",
}


def deep(n):
    value: object = 1
    for _ in range(min(n, 900)):
        value = [value]
    return value


def json_shapes():
    for key, make in TABLES.items():
        for form in ("dataframe_records", "inputs", "instances"):
            yield f"{form}: {key}", "json", lambda n, form=form, make=make: {form: make(n)}
    for key, make in COLUMNAR.items():
        for form in ("inputs", "instances"):
            yield f"{form}: {key}", "json", lambda n, form=form, make=make: {form: make(n)}
    for key, make in SPLITS.items():
        yield f"dataframe_split: {key}", "json", lambda n, make=make: {"dataframe_split": make(n)}
    row = [{"x": 1, "s": "a"}]
    yield "unknown parameters", "json", lambda n: {"inputs": row, "params": dict.fromkeys(names(n), 1)}
    yield "a parameter of many texts", "json", lambda n: {"inputs": row, "params": {"words": ["a" * n, *["b"] * n]}}
    yield "a parameter of quotes", "json", lambda n: {"inputs": row, "params": {"scale": "`', error: " * n}}
    yield "bare keys", "json", lambda n: {"messages": [{"role": "a"}] * n, **dict.fromkeys(names(n), 1)}
    yield "bare texts", "json", lambda n: {"input": ["a" * n, *["b"] * n], "x": ["a" * n, *["b"] * n]}
    yield "unknown forms", "json", lambda n: dict.fromkeys(names(n), 1)


def bodies():
    """Name, kind and a function from a size to a body."""
    for name, kind, make in json_shapes():
        yield name, kind, lambda n, make=make: json.dumps(make(n)).encode()
    yield "open brackets", "json", lambda n: b"[" * n * 50
    yield "an open text", "json", lambda n: b'{"inputs": "' + b"\\" * n * 50
    yield "a long number", "json", lambda n: b'{"inputs": ' + b"1" * n * 2 + b"}"
    yield "a long fraction", "json", lambda n: b'{"inputs": [0.' + b"1" * n * 50 + b"]}"
    for name, make in CSVS.items():
        yield f"csv: {name}", "csv", lambda n, make=make: make(n).encode()


def make_scorer(schema):
    signature = ModelSignature(inputs=schema, params=PARAMS) if schema else None
    meta = Model(signature=signature, flavors={"python_function": {"loader_module": "none"}})
    model = mlflow.pyfunc.PyFuncModel(meta, Silent())
    with mock.patch.object(mlflow_adapter, "load_model", return_value=model):
        scorer = Scorer("/there/is/no/such/folder")
    scorer.fast.usable = scorer.can_be_fast
    return scorer


class Linear(unittest.TestCase):
    def check(self, scorer, kind, make, size=SIZE):
        small, large = make(size), make(size * TIMES)
        for attempt in range(TRIES):
            first = seconds(scorer, kind, small)
            second, grown = watch_memory(lambda: seconds(scorer, kind, large))
            if second <= MOST_TIMES * first + FREE_SECONDS:
                break
            self.assertLess(attempt, TRIES - 1, f"{first:.3f} s at {len(small)} bytes, {second:.3f} at {len(large)}")
        if grown > FREE_BYTES // 4:
            self.assertLess(peak_bytes(scorer, kind, large), BYTES_A_BYTE * len(large) + FREE_BYTES)

    def test_every_shape_to_every_signature(self):
        for name in SIGNATURES if os.environ.get("DAVIT_TEST_EVERYTHING") else SOME:
            schema = SIGNATURES[name]
            scorer = make_scorer(schema)
            for shape, kind, make in bodies():
                with self.subTest(signature=name, shape=shape), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    self.check(scorer, kind, make)

    def test_the_largest_of_the_worst_shapes(self):
        scorer = make_scorer(SIGNATURES["columns"])
        for shape in ("one row of unknown keys", "rows of different keys", "quotes and backticks"):
            with self.subTest(shape=shape):
                make = TABLES[shape]
                self.check(
                    scorer, "json", lambda n, make=make: json.dumps({"dataframe_records": make(n)}).encode(), 6000
                )


def seconds(scorer, kind, body):
    before = time.process_time()
    scorer.answer(kind, body, "")
    return time.process_time() - before


def watch_memory(work):
    """The result of `work`, and the bytes by which the process grew; infinite where the kernel does not count them."""
    if not TRIM_MEMORY:
        return work(), math.inf
    TRIM_MEMORY(0)  # because memory that an earlier answer left in the allocator would hide what this one needs
    Path("/proc/self/clear_refs").write_text("5")  # sets the peak to the current size
    before = resident_bytes("VmRSS")
    return work(), resident_bytes("VmHWM") - before


def resident_bytes(field):
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def peak_bytes(scorer, kind, body):
    """The exact peak. It takes four times as long as the answer, so only answers that grow the process are measured."""
    tracemalloc.start()
    try:
        scorer.answer(kind, body, "")
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


if __name__ == "__main__":
    # As a worker does: otherwise each full collection also visits everything that mlflow has imported, in some runs.
    gc.collect()
    gc.freeze()
    with mock.patch("davit_server.scoring.scorer.log"):
        unittest.main()
