"""The short way from parsed JSON to the model: one DataFrame with the signature's types, straight to the flavor.

It costs 0.35 ms where MLflow's way costs 2.1 to 2.5. Whatever it does not recognise goes MLflow's way, and it is
used only when both ways gave the same answer to the model's own example (see scoring.py).
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pandas as pd

from .mlflow_adapter import from_type_hint, parameters_schema, shaped_by_example

NUMPY = {"double": "float64", "float": "float32", "long": "int64", "integer": "int32", "boolean": "bool"}
EXACT = {"long": int, "integer": int, "boolean": bool, "string": str}


class FastFrame:
    """For signatures of named scalar columns without parameters."""

    def __init__(self, model) -> None:
        metadata, schema = model.metadata, model.metadata.get_input_schema()
        named = schema is not None and schema.has_input_names()
        self.types = [getattr(kind, "name", None) for kind in schema.input_types()] if named else []
        self.names = list(schema.input_names()) if named else []
        self.usable = (
            bool(self.types)
            and len(set(self.names)) == len(self.names)
            and all(kind in NUMPY or kind == "string" for kind in self.types)
            and parameters_schema(metadata) is None
            and not from_type_hint(metadata)
            and not shaped_by_example(metadata)
            and hasattr(model, "_predict_fn")
        )
        if self.usable:
            self.index = pd.Index(self.names)
            self.doubles = all(kind == "double" for kind in self.types)
            self.predict = direct_predict(model)

    def make(self, payload: dict[str, Any]) -> pd.DataFrame | None:
        """A DataFrame equal to the one that MLflow would hand to the flavor, or None: take MLflow's way."""
        rows = self.rows(payload)
        if not rows:
            return None
        try:
            if self.doubles:
                values = np.array(rows, dtype="float64")
                return pd.DataFrame(values, columns=self.index, copy=False) if values.ndim == 2 else None
            columns = [self.column(kind, values) for kind, values in zip(self.types, zip(*rows))]
            return pd.DataFrame(dict(zip(self.names, columns)))
        except (ValueError, TypeError, OverflowError):
            return None

    def rows(self, payload: dict[str, Any]) -> list[list] | None:
        if "inputs" in payload or "instances" in payload:
            return None
        split, records = payload.get("dataframe_split"), payload.get("dataframe_records")
        if records is None and isinstance(split, dict):
            return self.rows_of_split(split)
        if split is None and isinstance(records, list):
            names = set(self.names)
            if all(isinstance(record, dict) and record.keys() == names for record in records):
                return [[record[name] for name in self.names] for record in records]
        return None

    def rows_of_split(self, split: dict[str, Any]) -> list[list] | None:
        if split.keys() != {"columns", "data"} or not isinstance(split["data"], list):
            return None
        width, columns, rows = len(self.names), split["columns"], split["data"]
        if any(type(row) is not list or len(row) != width for row in rows):
            return None
        if columns == self.names:
            return rows
        if not isinstance(columns, list) or sorted(map(str, columns)) != sorted(self.names):
            return None
        try:
            order = [columns.index(name) for name in self.names]
        except ValueError:
            return None
        return [[row[i] for i in order] for row in rows]

    @staticmethod
    def column(kind: str, values: tuple) -> Any:
        exact = EXACT.get(kind)
        if exact and any(type(value) is not exact for value in values):
            raise TypeError(kind)
        return list(values) if kind == "string" else np.array(values, dtype=NUMPY[kind])


def direct_predict(model):
    """The flavor's own predict, called as pyfunc calls it."""
    parameter = inspect.signature(model._predict_fn).parameters.get("params")
    if parameter is None or parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return model._predict_fn
    return lambda frame: model._predict_fn(frame, params=None)
