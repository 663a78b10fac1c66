"""A request's body to what the model gets: MLflow's JSON forms, CSV and Parquet. Every fault here is the client's."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pandas as pd

from .mlflow_adapter import dataframe_from_parsed_json, from_type_hint, parameters_schema, parse_tf_serving_input
from .strict_json import parse_strictly

FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
LLM_KEYS = {"messages", "prompt", "input"}
NOUNS = {list: "a list", str: "a string", int: "a number", float: "a number", bool: "a boolean", type(None): "null"}
EXPECTED = f"expected a JSON object with exactly one of {', '.join(FORMS)}"
QUOTED = re.compile(r"""(["'`]).*\1""", re.DOTALL)


class Refused(Exception):
    """The client's fault: HTTP status, MLflow's error code, a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def parse_object(body: bytes) -> dict[str, Any]:
    try:
        payload = parse_strictly(body.decode())
    except UnicodeDecodeError as error:
        raise bad(f"The body is not UTF-8: {error.reason} at byte {error.start}.") from error
    except RecursionError as error:
        raise bad("The body is nested too deeply.") from error
    except ValueError as error:
        raise bad(f"The body is not valid JSON: {error}.") from error
    if not isinstance(payload, dict):
        raise bad(f"The body is {NOUNS[type(payload)]}, {EXPECTED}.")
    return payload


def bad(message: str) -> Refused:
    return Refused(400, "BAD_REQUEST", f"Invalid input. {message}")


def is_llm(payload: dict[str, Any]) -> bool:
    """MLflow's bare form for language models: the whole object is the input, the answer is not wrapped."""
    return not LLM_KEYS.isdisjoint(payload)


def parse_payload(payload: dict[str, Any], metadata, schema) -> tuple[Any, dict | None]:
    """Data and parameters, as MLflow's server gives them to the model."""
    if is_llm(payload):
        known = parameters_schema(metadata)
        names = {parameter.name for parameter in known.params} if known else set()
        data = {key: value for key, value in payload.items() if key not in names}
        return data, {key: value for key, value in payload.items() if key in names}
    forms = [key for key in FORMS if key in payload]
    if from_type_hint(metadata):
        if "inputs" not in payload:
            raise Refused(400, "INVALID_PARAMETER_VALUE", "The model has type hints: expected the key inputs.")
        return payload["inputs"], payload.get("params")
    if len(forms) != 1:
        found = " and ".join(forms) or "no key for the input"
        raise bad(f"The body has {found}, {EXPECTED}.")
    form = forms[0]
    if form in ("instances", "inputs"):
        data = parse_tf_serving_input({form: payload[form]}, schema=schema)
    else:
        orient = form[len("dataframe_") :]
        data = dataframe_from_parsed_json(payload[form], pandas_orient=orient, schema=schema)
    return data, payload.get("params")


def parse_csv(body: bytes, schema) -> pd.DataFrame:
    """A table with a header line; columns get the types of the signature."""
    types, dates = column_types(schema)
    try:
        text = body.decode()
        head = set(pd.read_csv(io.StringIO(text), nrows=0).columns)
        dates = [name for name in dates if name in head]
        return pd.read_csv(io.StringIO(text), dtype=types or None, parse_dates=dates or False)
    except UnicodeDecodeError as error:
        raise bad(f"The body is not UTF-8: {error.reason} at byte {error.start}.") from error
    except Exception as error:
        raise unreadable("CSV", error) from error


def parse_parquet(body: bytes) -> pd.DataFrame:
    try:
        return pd.read_parquet(io.BytesIO(body))
    except ImportError as error:
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", "The model's packages cannot read Parquet.") from error
    except Exception as error:
        raise unreadable("Parquet", error) from error


def unreadable(kind: str, error: Exception) -> Refused:
    """MLflow's sentence, without the values that pandas quotes."""
    expected = f"Ensure that the input is a valid {kind}-formatted Pandas DataFrame."
    reason = QUOTED.sub("…", str(error))[:300]
    return Refused(400, "BAD_REQUEST", f"Failed to parse input as a Pandas DataFrame. {expected} Error: {reason}")


def column_types(schema) -> tuple[dict[str, Any], list[str]]:
    """Types of named scalar columns for pandas' reader, and the names of dates (which it wants apart)."""
    types: dict[str, Any] = {}
    dates: list[str] = []
    if schema is None or not schema.has_input_names():
        return types, dates
    for name, kind in zip(schema.input_names(), schema.input_types()):
        if getattr(kind, "name", None) == "datetime":
            dates.append(name)
        elif hasattr(kind, "to_pandas"):
            types[name] = kind.to_pandas()
        elif isinstance(kind, np.dtype):
            types[name] = kind
    return types, dates
