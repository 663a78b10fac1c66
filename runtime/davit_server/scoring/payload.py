"""Converts a request's body to the model's input: MLflow's JSON forms, CSV and Parquet.

The functions raise Refused, or MLflow's own MlflowException; every fault here is the client's.
"""

from __future__ import annotations

import contextlib
import io
import json
from typing import Any

import numpy as np
import pandas as pd

from ..failures.mlflow_reason import extract_reason
from .input_size import check_bare, check_csv, check_parquet, check_records, check_split, check_values
from .mlflow_adapter import (
    MlflowException,
    dataframe_from_parsed_json,
    has_type_hint_signature,
    parse_tf_serving_input,
    read_parameters_schema,
)
from .refused import Refused, make_bad_request
from .strict_json import parse_strictly

FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
LLM_KEYS = {"messages", "prompt", "input"}
NOUNS = {list: "a list", str: "a string", int: "a number", float: "a number", bool: "a boolean", type(None): "null"}
EXPECTED = f"expected a JSON object with exactly one of {', '.join(FORMS)}"


def parse_object(body: bytes) -> dict[str, Any]:
    """Parses a JSON object in UTF-8, UTF-16 or UTF-32, with or without a byte-order mark, as MLflow does."""
    try:
        payload = parse_strictly(body.decode(json.detect_encoding(body), "surrogatepass"))
    except UnicodeDecodeError as error:
        raise make_bad_request(
            f"The body is not {error.encoding.upper()}: {error.reason} at byte {error.start}."
        ) from error
    except RecursionError as error:
        raise make_bad_request("The body is nested too deeply.") from error
    except ValueError as error:
        raise make_bad_request(f"The body is not valid JSON: {error}.") from error
    if not isinstance(payload, dict):
        raise make_bad_request(f"The body is {NOUNS[type(payload)]}, {EXPECTED}.")
    return payload


def is_llm(payload: dict[str, Any]) -> bool:
    """Says whether this is MLflow's bare form for language models, in which the whole object is the input."""
    return not LLM_KEYS.isdisjoint(payload)


def parse_payload(payload: dict[str, Any], metadata, schema) -> tuple[Any, dict | None]:
    """Returns data and parameters, as MLflow's server passes them to the model; None means no parameters."""
    if is_llm(payload):
        known = read_parameters_schema(metadata)
        names = {parameter.name for parameter in known.params} if known else set()
        data = {key: value for key, value in payload.items() if key not in names}
        check_bare(data)
        return data, {key: value for key, value in payload.items() if key in names}
    forms = [key for key in FORMS if key in payload]
    if has_type_hint_signature(metadata):
        if "inputs" not in payload:
            raise Refused(400, "INVALID_PARAMETER_VALUE", "The model has type hints: expected the key inputs.")
        return payload["inputs"], payload.get("params")
    if len(forms) != 1:
        found = " and ".join(forms) or "no key for the input"
        raise make_bad_request(f"The body has {found}, {EXPECTED}.")
    form = forms[0]
    try:
        return make_data(form, payload[form], schema), payload.get("params")
    except (Refused, MlflowException, MemoryError):
        raise
    except RecursionError as error:
        raise make_bad_request(f"The value of {form} is nested too deeply.") from error
    except Exception as error:  # the model has not run yet
        raise make_bad_request(
            f"The value of {form} cannot be read: {extract_reason(error) or type(error).__name__}"
        ) from error


def make_data(form: str, value: Any, schema) -> Any:
    if form in ("instances", "inputs"):
        check_values(value)
        return parse_tf_serving_input({form: value}, schema=schema)
    check = check_split if form == "dataframe_split" else check_records
    check(value, schema)
    return dataframe_from_parsed_json(value, pandas_orient=form[len("dataframe_") :], schema=schema)


def parse_csv(body: bytes, schema) -> pd.DataFrame:
    """Parses a table with a header line; the columns get the types of the signature."""
    types, dates = read_column_types(schema)
    try:
        text = body.decode()
        check_csv(text)
        head = pd.read_csv(io.StringIO(text), nrows=0).columns
        dates = [name for name in dates if name in head or (type(name) is int and name < len(head))]
        return pd.read_csv(io.StringIO(text), dtype=types or None, parse_dates=dates or False)
    except UnicodeDecodeError as error:
        raise make_bad_request(f"The body is not UTF-8: {error.reason} at byte {error.start}.") from error
    except Refused:
        raise
    except Exception as error:
        raise make_parse_refusal("CSV", error, find_type_mismatch(text, types)) from error


def parse_parquet(body: bytes) -> pd.DataFrame:
    try:
        with contextlib.suppress(ImportError):  # fastparquet can read it too
            from pyarrow.parquet import read_metadata

            about = read_metadata(io.BytesIO(body))
            check_parquet(about.num_rows, about.num_columns, len(body))
        return pd.read_parquet(io.BytesIO(body))
    except ImportError as error:
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", "The model's packages cannot read Parquet.") from error
    except Refused:
        raise
    except Exception as error:
        raise make_parse_refusal("Parquet", error) from error


def make_parse_refusal(kind: str, error: Exception, why: str = "") -> Refused:
    """Returns a refusal with MLflow's sentence, and with the reason when that contains no sent value."""
    expected = f"Ensure that the input is a valid {kind}-formatted Pandas DataFrame."
    why = why or extract_reason(error) or type(error).__name__
    return Refused(400, "BAD_REQUEST", f"Failed to parse input as a Pandas DataFrame. {expected} Error: {why}")


def find_type_mismatch(text: str, types: dict[Any, Any]) -> str:
    """Names the first column whose values cannot have the signature's type; empty when there is none."""
    with contextlib.suppress(Exception):
        frame = pd.read_csv(io.StringIO(text))
        for place, name in enumerate(frame.columns):
            kind = types.get(name, types.get(place))
            try:
                frame[name].astype(kind or object)
            except Exception:
                return f'Failed to convert column "{name}" to type {np.dtype(kind)}.'
    return ""


def read_column_types(schema) -> tuple[dict[Any, Any], list]:
    """Returns the types of scalar columns for pandas' reader, and the date columns: by name, or by place without names.

    Raises Refused for a signature with nested columns, of which a table has none: a model would get something else.
    """
    types: dict[Any, Any] = {}
    dates: list = []
    if schema is None or (schema.is_tensor_spec() and not schema.has_input_names()):
        return types, dates
    for name, kind in zip(schema.input_names(), schema.input_types()):
        if getattr(kind, "name", None) == "datetime":
            dates.append(name)
        elif hasattr(kind, "to_pandas"):
            types[name] = kind.to_pandas()
        elif isinstance(kind, np.dtype):
            types[name] = kind
        else:
            column = f'Column "{name}"' if schema.has_input_names() else "The input"
            raise make_bad_request(f"{column} has nested values in the signature, which CSV cannot have: send JSON.")
    return types, dates
