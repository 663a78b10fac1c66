"""Finds what is wrong with a request after the model has raised: no rows, nulls, infinities, other types.

MLflow accepts these because many models can predict them. When the model has raised, they are the probable reason, and
the client can correct them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

NOUNS = {str: "a string", bool: "a boolean", int: "a number", float: "a number", dict: "an object"}


def find_input_fault(data: Any, params: dict | None, schema: Any, known_params: Any) -> str | None:
    """Returns a phrase such as `column "x" is null in row 3, expected a value`, or None when the request is valid."""
    if is_empty(data):
        return "there are no rows in the request"
    for parameter in known_params.params if known_params else ():
        if params and parameter.name in params and params[parameter.name] is None and parameter.default is not None:
            return f'the parameter "{parameter.name}" is null'
    if schema is None:
        return None
    if isinstance(data, np.ndarray):
        return describe_gap("the input", data)
    columns = read_columns(data)
    for place, column in enumerate(schema.inputs):
        name = column.name if column.name is not None else place
        required = getattr(column, "required", True)
        if name in columns:
            what, kind = f'column "{name}"', getattr(column.type, "name", None)
            wrong = describe_gap(what, columns[name], null=required) or describe_type(what, columns[name], kind)
            if wrong:
                return wrong
    return None


def is_empty(data: Any) -> bool:
    if isinstance(data, (np.ndarray, pd.DataFrame, pd.Series)):
        return data.size == 0
    if isinstance(data, dict):
        return not data or all(isinstance(value, (list, np.ndarray)) and np.size(value) == 0 for value in data.values())
    return isinstance(data, list) and not data


def read_columns(data: Any) -> dict:
    """Returns the columns by name and by position; empty when the data is no table or has a name twice."""
    if isinstance(data, dict):
        return data
    if isinstance(data, list) and all(isinstance(record, dict) for record in data):
        data = pd.DataFrame(data)
    if not isinstance(data, pd.DataFrame) or not data.columns.is_unique:
        return {}
    by_place = {place: data.iloc[:, place] for place in range(len(data.columns))}
    return {**by_place, **{name: data[name] for name in data.columns}}


def describe_gap(what: str, values: Any, null: bool = True) -> str | None:
    """Describes the first infinite value, or the first null if `null` is true; None when there is none."""
    values = np.asarray(values)
    if values.ndim == 0:
        return None
    gaps = pd.isna(values)
    if null and gaps.any():
        return f"{what} is null in row {find_first_row(gaps)}, expected a value"
    infinite = np.isinf(values) if values.dtype.kind == "f" else np.zeros(1, dtype=bool)
    return f"{what} is infinite in row {find_first_row(infinite)}, expected a finite number" if infinite.any() else None


def describe_type(what: str, values: Any, kind: str | None) -> str | None:
    """Describes the first value that is not of the type `string` or `binary`, because MLflow lets others pass.

    MLflow decodes base64 in tables of JSON only: in `inputs` it makes bytes of the text itself, in CSV it stays a text.
    """
    for row, value in enumerate(list(values) if kind in ("string", "binary") and np.ndim(values) else ()):
        if value is None or (np.ndim(value) == 0 and pd.isna(value)):
            continue
        if kind == "binary" and isinstance(value, (str, np.bytes_)):
            return f"{what} is not decoded from base64 in this form, expected dataframe_split or dataframe_records"
        if kind == "string" and not isinstance(value, str):
            plain = value.item() if isinstance(value, np.generic) else value
            return f"{what} is {NOUNS.get(type(plain), 'a list')} in row {row}, expected a string"
    return None


def find_first_row(found: np.ndarray) -> int:
    return int(np.argwhere(found)[0][0])
