"""Asks MLflow what becomes of requests for one type when the model's signature has another.

Sends values of each type, in each form, to the function that MLflow's server calls, and compares what arrives at a
model with what was sent. Prints {KIND: {OLD: {NEW: EFFECT}}}: "works", "rounds", "alters" or "fails", the worst of all
values and forms of JSON and CSV; null: MLflow accepts no request for OLD. Parquet keeps its own types and is not sent.
"""

from __future__ import annotations

import base64
import itertools
import json
import logging
import math
import os
import warnings
from datetime import datetime

import numpy as np
import pandas as pd
import pydantic
from mlflow.models import Model, ModelSignature
from mlflow.pyfunc import FLAVOR_NAME, PyFuncModel, PythonModel, scoring_server
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec
from mlflow.types.schema import Array, DataType, Map, Object, Property
from mlflow.types.type_hints import _infer_schema_from_list_type_hint as infer_schema

EFFECTS = ("works", "rounds", "alters", "fails")
ROUNDED = 1e-6
"""A number that differs by a smaller share is rounded."""
EXACT = 2**53
"""JSON clients themselves round whole numbers above it; a smaller one that changes is another number."""

VALUES = {
    "boolean": [True, False],
    "integer": [0, 1, -7, 2**24 + 1, 2**31 - 1],
    "long": [0, 1, -7, 2**24 + 1, 2**31, 2**53 + 1],
    "float": [1.5, 2, 0.1, -3e38, 1e-30, None],
    "double": [1.5, 2, 0.1, 3e38, None],  # above: see find_overflow()
    "string": ["a", "5", "true", "", "grün", None],
    "binary": [base64.b64encode(b"bytes\xff").decode(), "YQ=="],
    "datetime": ["2026-01-02T03:04:05", "2026-01-02", "2026-01-02T03:04:05.123456"],
}
ELEMENTS = {
    "bool": [True, False],
    "int8": [0, 1, -7, 127],
    "uint8": [0, 1, 255],
    "int32": [0, 1, -7, 2**24 + 1, 2**31 - 1],
    "int64": [0, 1, -7, 2**24 + 1, 2**31, 2**53 + 1],
    "uint64": [0, 1, 2**24 + 1, 2**63, 2**64 - 1],
    "float16": [1.5, 2, 6e4, None],
    "float32": [1.5, 2, 0.1, 3e38, None],
    "float64": [1.5, 2, 0.1, 3e38, None],
    "str": ["a", "5", "true"],
    "object": ["a", 5, 1.5, True],
}
HINTS = {"boolean": bool, "long": int, "double": float, "string": str, "binary": bytes, "datetime": datetime}
DEFAULTS = {
    "boolean": True,
    "string": "a",
    "datetime": np.datetime64("2026-01-02T03:04:05"),
    "float": 1.5,
    "double": 1.5,
}


class Echo:
    """A model that keeps what arrives."""

    def predict(self, data, params=None):
        self.data, self.params = data, params
        return [1]


class Server:
    def __init__(self, inputs, params=None, echo=None):
        """`echo`: a model with type hints, of which `inputs` are made."""
        self.echo = echo or Echo()
        signature = ModelSignature(inputs=Schema(inputs), params=params and ParamSchema(params))
        signature._is_signature_from_type_hint = echo is not None
        model = Model(signature=signature)
        model.add_flavor(FLAVOR_NAME, loader_module="unused")
        self.pyfunc = PyFuncModel(model, self.echo)

    def receive(self, content_type: str, body: str) -> Echo | None:
        """Returns the model that got the request; None: refused."""
        try:
            schema = self.pyfunc.metadata.get_input_schema()
            answer = scoring_server.invocations(body, content_type, self.pyfunc, schema)
        except Exception:
            return None
        return self.echo if answer.status == 200 else None


def find_effects(types, make_server, list_requests, read) -> dict:
    """`list_requests(type)` has pairs of what is sent and (content type, body); `read(echo)` returns what arrived."""
    servers = {name: make_server(name) for name in types}
    found: dict = {name: {} for name in types}
    for old, new in itertools.permutations(types, 2):
        effects = [
            find_effect(sent, arrived and read(arrived))
            for sent, request in list_requests(old)
            if servers[old].receive(*request)
            for arrived in [servers[new].receive(*request)]
        ]
        found[old][new] = max(effects, key=EFFECTS.index, default=None)
    return found


def find_effect(sent, arrived) -> str:
    if arrived is None:
        return "fails"
    return max((compare(*pair) for pair in zip(sent, arrived)), key=EFFECTS.index)


def compare(sent, arrived) -> str:
    arrived = arrived.item() if isinstance(arrived, (np.generic, np.ndarray)) else arrived
    if sent is None or pd.isnull(arrived):
        return "works" if pd.isnull(arrived) and sent is None else "alters"
    if isinstance(sent, str):
        return "works" if is_same_text(sent, arrived) else "alters"
    if isinstance(arrived, bool) and not isinstance(sent, bool):
        return "alters"  # 0 and 1 stay, but no other number
    if not isinstance(arrived, (int, float)) or not math.isclose(sent, arrived, rel_tol=ROUNDED):
        return "alters"
    if sent == arrived:
        return "works"
    return "alters" if isinstance(sent, int) and abs(sent) <= EXACT else "rounds"


def is_same_text(sent: str, arrived) -> bool:
    try:
        if isinstance(arrived, bytes):
            return base64.decodebytes(sent.encode()) == arrived
        return sent == arrived or (not isinstance(arrived, (str, bool, int)) and pd.Timestamp(sent) == arrived)
    except ValueError:
        return False


def dump(value) -> tuple[str, str]:
    return "application/json", json.dumps(value)


def list_column_requests(kind: str):
    for value in VALUES[kind]:
        yield [value], dump({"dataframe_split": {"columns": ["a"], "data": [[value]]}})
        yield [value], dump({"dataframe_records": [{"a": value}]})
        yield [value], ("text/csv", pd.DataFrame({"a": [value]}, dtype=object).to_csv(index=False))
        if value is not None:  # MLflow writes null as the text "None", also for clients who send texts
            yield [value], dump({"inputs": {"a": [value]}})
            yield [value], dump({"inputs": [{"a": value}]})
            yield [value], dump({"instances": [{"a": value}]})


def read_column(echo: Echo) -> list:
    data = echo.data
    if isinstance(data, list):
        return [record["a"] for record in data]
    return list(data["a"]) if isinstance(data, pd.DataFrame) else np.ravel(data["a"]).tolist()


def list_nested_requests(make_value):
    def list_requests(kind: str):
        for value in VALUES[kind]:
            if value is not None:
                nested = make_value(value)
                yield [value], dump({"dataframe_split": {"columns": ["a"], "data": [[nested]]}})
                yield [value], dump({"inputs": [{"a": nested}]})

    return list_requests


def list_parameter_requests(kind: str):
    for value in VALUES[kind]:
        yield [value], dump({"inputs": {"a": [1]}, "params": {"p": value}})


def list_tensor_requests(dtype: str):
    for value in ELEMENTS[dtype]:
        row = [value, value]
        yield row, dump({"inputs": [row]})
        yield row, dump({"instances": [row]})
        yield row, dump({"dataframe_split": {"columns": [0, 1], "data": [row]}})


def list_named_tensor_requests(dtype: str):
    for value in ELEMENTS[dtype]:
        yield [value], dump({"inputs": {"a": [value]}})
        yield [value], dump({"instances": [{"a": value}]})
        yield [value], dump({"dataframe_records": [{"a": value}]})
        yield [value], dump({"dataframe_split": {"columns": ["a"], "data": [[value]]}})


def read_tensor(data) -> list:
    return np.ravel(data).tolist()


def make_hinted(hint) -> Server:
    """A model whose signature comes from the type hint of `predict`."""

    def predict(self, model_input, params=None):
        self.data = model_input
        return ["a"]

    predict.__annotations__ = {"model_input": list[hint]}
    model = type("HintedEcho", (PythonModel,), {"predict": predict})
    return Server(infer_schema(list[hint]).inputs, echo=model())


def make_pydantic(kind: str) -> Server:
    return make_hinted(pydantic.create_model("Record", x=(HINTS[kind], ...)))


def list_hinted_requests(make_value):
    def list_requests(kind: str):
        for value in VALUES[kind]:
            if value is not None:
                yield [value], dump({"inputs": [make_value(value)]})

    return list_requests


def make_parameter(kind: str) -> list:
    return [ParamSpec("p", DataType[kind], DEFAULTS.get(kind, 1))]


def find_overflow() -> dict:
    """Decimals above the largest of 32 bits: there, a `float` is infinite."""

    def make(types: str) -> Server:
        return Server([ColSpec(types, "a")] if types in VALUES else [TensorSpec(np.dtype(types), (-1,), "a")])

    def list_requests(_: str):
        yield [1e39], dump({"inputs": {"a": [1e39]}})

    columns = find_effects(["double", "float"], make, list_requests, read_column)
    tensors = find_effects(["float64", "float32"], make, list_requests, read_column)
    return {"double": columns["double"], "float64": tensors["float64"]}


def find_map() -> dict:
    """An object, or one with an optional property that is null, that becomes a map."""
    optional = [Property("x", DataType.long, required=False)]
    types = {"object": Object([Property("x", DataType.long)]), "optional": Object(optional), "map": Map(DataType.long)}

    def list_requests(kind: str):
        value = {"x": None if kind == "optional" else 1}
        yield [value["x"]], dump({"inputs": [{"a": value}]})

    return find_effects(
        list(types), lambda k: Server([ColSpec(types[k], "a")]), list_requests, lambda e: [read_column(e)[0]["x"]]
    )


def find_removal() -> dict:
    """An object, or a Pydantic model, that loses a property which clients still send."""
    makers = {
        "object": lambda names: Server([ColSpec(Object([Property(name, DataType.long) for name in names]), "a")]),
        "model": lambda names: make_hinted(pydantic.create_model("Record", **dict.fromkeys(names, (int, ...)))),
    }
    requests = {"object": {"inputs": [{"a": {"x": 1, "y": 2}}]}, "model": {"inputs": [{"x": 1, "y": 2}]}}
    found = {}
    for kind, make in makers.items():
        before, after = make(["x", "y"]), make(["x"])
        assert before.receive(*dump(requests[kind]))
        found[kind] = {"removed": "works" if after.receive(*dump(requests[kind])) else "fails"}
    return found


def find_presence() -> dict:
    """An optional column that becomes required, and the reverse."""

    def make(presence: str) -> Server:
        return Server([ColSpec("double", "b"), ColSpec("double", "a", required=presence == "required")])

    def list_requests(presence: str):
        yield [1.5], dump({"dataframe_records": [{"b": 1, "a": 1.5}]})
        if presence == "optional":
            yield [None], dump({"dataframe_records": [{"b": 1}]})
            yield [None], dump({"inputs": {"b": [1]}})

    def read(echo: Echo) -> list:
        return list(echo.data["a"]) if "a" in echo.data else [None]

    return find_effects(["optional", "required"], make, list_requests, read)


def main() -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    os.environ["_MLFLOW_IS_IN_SERVING_ENVIRONMENT"] = "true"  # as in MLflow's server: dates and bytes are texts
    arrays = list_nested_requests(lambda value: [value])
    objects = list_nested_requests(lambda value: {"x": value})
    parameters = [kind for kind in VALUES if kind != "binary"]  # MLflow has none of type binary
    found = {
        "column": find_effects(list(VALUES), lambda k: Server([ColSpec(k, "a")]), list_column_requests, read_column),
        "array": find_effects(
            list(VALUES),
            lambda k: Server([ColSpec(Array(DataType[k]), "a")]),
            arrays,
            lambda e: np.ravel(read_column(e)[0]).tolist(),
        ),
        "object": find_effects(
            list(VALUES),
            lambda k: Server([ColSpec(Object([Property("x", DataType[k])]), "a")]),
            objects,
            lambda e: [read_column(e)[0]["x"]],
        ),
        "parameter": find_effects(
            parameters,
            lambda k: Server([ColSpec("long", "a")], make_parameter(k)),
            list_parameter_requests,
            lambda e: [e.params["p"]],
        ),
        "tensor": find_effects(
            list(ELEMENTS),
            lambda d: Server([TensorSpec(np.dtype(d), (-1, 2))]),
            list_tensor_requests,
            lambda e: read_tensor(e.data),
        ),
        "named_tensor": find_effects(
            list(ELEMENTS),
            lambda d: Server([TensorSpec(np.dtype(d), (-1,), "a")]),
            list_named_tensor_requests,
            lambda e: read_tensor(e.data["a"]),
        ),
        "hint": find_effects(
            list(HINTS), lambda k: make_hinted(HINTS[k]), list_hinted_requests(lambda value: value), lambda e: e.data
        ),
        "model": find_effects(
            list(HINTS), make_pydantic, list_hinted_requests(lambda value: {"x": value}), lambda e: [e.data[0].x]
        ),
        "overflow": find_overflow(),
        "map": find_map(),
        "removal": find_removal(),
        "presence": find_presence(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
