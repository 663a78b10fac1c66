"""The one door to MLflow's inner functions. They carry the meaning of the protocol but are no public API."""

from __future__ import annotations

import importlib
import json
import logging
import os

os.environ.setdefault("_MLFLOW_IS_IN_SERVING_ENVIRONMENT", "true")  # read when mlflow is imported
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # a server calls nobody, and a fork loses threads

import mlflow
import mlflow.pyfunc
from mlflow.exceptions import MlflowException  # noqa: F401

PLACES = ("mlflow.utils.proto_json_utils", "mlflow.pyfunc.scoring_server")
"""Where 2.10 to 3.17 have them. Not scoring_server first: before 2.22 it imports flask, which skinny does not bring."""


def find(name: str):
    for place in PLACES:
        try:
            return getattr(importlib.import_module(place), name)
        except (ImportError, AttributeError):
            continue
    raise ImportError(f"MLflow {mlflow.__version__} has no {name}: expected mlflow 2.10 or later, tried with 3.17.2")


VERSION = mlflow.__version__
NumpyEncoder = find("NumpyEncoder")
dataframe_from_parsed_json = find("dataframe_from_parsed_json")
parse_tf_serving_input = find("parse_tf_serving_input")


def load_model(path: str):
    """The pyfunc model; SERVING_MODEL_CONFIG (JSON) as in MLflow's server."""
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    config = os.environ.get("SERVING_MODEL_CONFIG")
    more = {"model_config": json.loads(config)} if config else {}
    return mlflow.pyfunc.load_model(path, suppress_warnings=True, **more)


def from_type_hint(metadata) -> bool:
    """Whether the signature comes from type hints: MLflow then hands the model what the request holds, unchanged."""
    return hasattr(metadata, "_is_signature_from_type_hint") and metadata._is_signature_from_type_hint()


def shaped_by_example(metadata) -> bool:
    return hasattr(metadata, "_is_type_hint_from_example") and metadata._is_type_hint_from_example()


def parameters_schema(metadata):
    return metadata.get_params_schema() if hasattr(metadata, "get_params_schema") else None


def output_columns(metadata) -> list[dict] | None:
    """The output signature as JSON (see signature.py), or None."""
    schema = metadata.get_output_schema()
    return None if schema is None else json.loads(schema.to_json())
