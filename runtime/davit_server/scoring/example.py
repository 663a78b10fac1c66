"""Reads the model's own example as the body of a request."""

from __future__ import annotations

import json
from pathlib import Path

from .payload import is_llm


def read_example(model: str, metadata) -> bytes | None:
    """Returns a JSON body in one of MLflow's forms, or None when the model has no example.

    It is `serving_input_example.json`; models logged before MLflow 2.16 have only `input_example.json`. Raises
    ValueError when the file is not JSON.
    """
    serving = Path(model) / "serving_input_example.json"
    if serving.exists():
        return replace_nan(serving.read_bytes())
    saved = getattr(metadata, "saved_input_example_info", None) or {}
    path = Path(model) / saved.get("artifact_path", "input_example.json")
    if not saved or not path.exists():
        return None
    return replace_nan(json.dumps(make_serving_form(json.loads(path.read_text()), saved)).encode())


def replace_nan(body: bytes) -> bytes:
    """Replaces NaN by null: MLflow writes a missing number as NaN, which a request may not contain."""
    if b"NaN" not in body:
        return body
    return json.dumps(json.loads(body, parse_constant=lambda name: None if name == "NaN" else float(name))).encode()


def make_serving_form(example: object, saved: dict) -> dict | None:
    if saved.get("type") == "dataframe":
        split = isinstance(example, dict) and "data" in example and saved.get("pandas_orient") in ("split", "values")
        return {"dataframe_split": example} if split else {"inputs": example}
    wrapped = isinstance(example, dict) and ("inputs" in example or "instances" in example or is_llm(example))
    return example if wrapped else {"inputs": example}
