"""Asks MLflow what becomes of requests for one type when the model's signature has another.

Sends values of each type, in each form, to the function that MLflow's server calls, and compares what arrives at a
model with what was sent. Prints {KIND: {OLD: {NEW: EFFECT}}}: "works", "rounds", "alters" or "fails", the worst of all
values and forms; null: MLflow accepts no request for OLD.
"""

from __future__ import annotations

import base64
import itertools
import json
import logging
import math
import warnings

import numpy as np
import pandas as pd
from mlflow.models import Model, ModelSignature
from mlflow.pyfunc import FLAVOR_NAME, PyFuncModel, scoring_server
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec
from mlflow.types.schema import Array, DataType, Object, Property

EFFECTS = ("works", "rounds", "alters", "fails")
ROUNDED = 1e-6
"""A number that differs by a smaller share is rounded."""

VALUES = {
    "boolean": [True, False],
    "integer": [0, 1, -7, 2**31 - 1],
    "long": [0, 1, -7, 2**31, 2**53 + 1],
    "float": [1.5, 2, 0.1, -3e38, 1e-30, None],
    "double": [1.5, 2, 0.1, 3e38, None],  # beyond, a number of type float is infinite
    "string": ["a", "5", "true", "", "grün", None],
    "binary": [base64.b64encode(b"bytes\xff").decode(), "YQ=="],
    "datetime": ["2026-01-02T03:04:05", "2026-01-02", "2026-01-02T03:04:05.123456"],
}
ELEMENTS = {
    "bool": [True, False],
    "int8": [0, 1, -7, 127],
    "uint8": [0, 1, 255],
    "int32": [0, 1, -7, 2**31 - 1],
    "int64": [0, 1, -7, 2**31, 2**53 + 1],
    "uint64": [0, 1, 2**63, 2**64 - 1],
    "float16": [1.5, 2, 6e4, None],
    "float32": [1.5, 2, 0.1, 3e38, None],
    "float64": [1.5, 2, 0.1, 3e38, None],
    "str": ["a", "5", "true"],
    "object": ["a", 5, 1.5, True],
}
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
    def __init__(self, inputs, params=None):
        self.echo = Echo()
        model = Model(signature=ModelSignature(inputs=Schema(inputs), params=params and ParamSchema(params)))
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
    arrived = arrived.item() if isinstance(arrived, np.generic) else arrived
    if sent is None or pd.isnull(arrived):
        return "works" if pd.isnull(arrived) and sent is None else "alters"
    if isinstance(sent, str):
        return "works" if is_same_text(sent, arrived) else "alters"
    if isinstance(arrived, bool) and not isinstance(sent, bool):
        return "alters"  # 0 and 1 stay, but no other number
    if not isinstance(arrived, (int, float)) or not math.isclose(sent, arrived, rel_tol=ROUNDED):
        return "alters"
    return "works" if sent == arrived else "rounds"


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
        yield [value], dump({"inputs": [value]})
        yield [value], dump({"instances": [value]})


def make_parameter(kind: str) -> list:
    return [ParamSpec("p", DataType[kind], DEFAULTS.get(kind, 1))]


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
            lambda d: Server([TensorSpec(np.dtype(d), (-1,))]),
            list_tensor_requests,
            lambda e: e.data.tolist(),
        ),
        "presence": find_presence(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
