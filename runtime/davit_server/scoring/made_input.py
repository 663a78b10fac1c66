"""Makes a request from the input signature, for a model that has no example. Standard library only, Python 3.8.

Its values are plausible for their types only. So a failure says little about the model.
"""

from __future__ import annotations

import json
from typing import Any

MOST_ELEMENTS = 100_000
"""A tensor with more is not made: its request would be many megabytes, and every start would predict it."""

SCALARS = {
    "boolean": True,
    "integer": 1,
    "long": 1,
    "float": 1.0,
    "double": 1.0,
    "string": "a",
    "binary": "AA==",
    "datetime": "2020-01-01T00:00:00",
    "any": "a",
}
NUMBER_PREFIXES = ("float", "int", "uint")
TEXT_PREFIXES = ("str", "object", "<U", "bytes")


class CannotMakeInput(Exception):
    """A type has no value that would be plausible, or the input would be too large."""


def make_input(columns: list[dict] | None, type_hints: bool) -> bytes | None:
    """Returns a request with one row, as JSON; None when there is no signature or no plausible input.

    `columns` is the input signature as parsed JSON (see signatures/signature.py). With `type_hints`, MLflow passes the
    value of `inputs` to the model unchanged.
    """
    if not columns:
        return None
    try:
        return json.dumps(make_payload(columns, type_hints)).encode()
    except CannotMakeInput:
        return None


def make_payload(columns: list[dict], type_hints: bool) -> dict[str, Any]:
    values = [make_column_value(column) for column in columns]
    names = [column.get("name") for column in columns]
    is_named = None not in names
    if columns[0]["type"] == "tensor" or type_hints:
        if is_named:
            return {"inputs": dict(zip(names, values))}
        return {"inputs": values[0] if columns[0]["type"] == "tensor" else values}
    return {"dataframe_split": {**({"columns": names} if is_named else {}), "data": [values]}}


def make_column_value(column: dict) -> Any:
    kind = column["type"]
    if kind == "tensor":
        spec = column["tensor-spec"]
        return make_tensor([1 if size < 0 else size for size in spec["shape"]], make_element(spec["dtype"]))
    if kind == "array":
        return [make_column_value(column["items"])]
    if kind == "map":
        return {"a": make_column_value(column["values"])}
    if kind == "object":
        return {name: make_column_value(each) for name, each in column["properties"].items()}
    if kind not in SCALARS:
        raise CannotMakeInput(kind)
    return SCALARS[kind]


def make_element(dtype: str) -> Any:
    if dtype.startswith(NUMBER_PREFIXES):
        return 1.0 if dtype.startswith("float") else 1
    if dtype.startswith("bool"):
        return True
    if dtype.startswith("datetime64"):
        return "2020-01-01T00:00:00"
    if dtype.startswith(TEXT_PREFIXES):
        return "a"
    raise CannotMakeInput(dtype)


def make_tensor(shape: list[int], element: Any) -> Any:
    count = 1
    for size in shape:
        count *= size
    if count > MOST_ELEMENTS:
        raise CannotMakeInput(f"{count} elements")
    value = element
    for size in reversed(shape):
        value = [value] * size
    return value
