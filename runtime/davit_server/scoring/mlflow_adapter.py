"""The only module that uses MLflow's internal functions. They define the protocol but are no public API."""

from __future__ import annotations

import importlib
import json
import logging
import os

os.environ.setdefault("_MLFLOW_IS_IN_SERVING_ENVIRONMENT", "true")  # read when mlflow is imported
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # a server sends none, and a fork would lose its thread

import mlflow
import mlflow.pyfunc
from mlflow.exceptions import MlflowException  # noqa: F401

PLACES = ("mlflow.utils.proto_json_utils", "mlflow.pyfunc.scoring_server")
"""The modules of 2.10 to 3.17. scoring_server is last: before 2.22 it imports flask, which mlflow-skinny lacks."""


AGENT_LOADERS = tuple(f"mlflow.pyfunc.loaders.{name}" for name in ("chat_agent", "chat_model", "responses_agent"))


def find_function(name: str):
    for place in PLACES:
        try:
            return getattr(importlib.import_module(place), name)
        except (ImportError, AttributeError):
            continue
    raise ImportError(f"MLflow {mlflow.__version__} has no {name}: expected mlflow 2.10 or later, tried with 3.17.2")


VERSION = mlflow.__version__
NumpyEncoder = find_function("NumpyEncoder")
dataframe_from_parsed_json = find_function("dataframe_from_parsed_json")
parse_tf_serving_input = find_function("parse_tf_serving_input")


def load_model(path: str):
    """Returns the pyfunc model, with the model config in SERVING_MODEL_CONFIG (JSON), as in MLflow's server."""
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    config = os.environ.get("SERVING_MODEL_CONFIG")
    more = {"model_config": json.loads(config)} if config else {}
    return mlflow.pyfunc.load_model(path, suppress_warnings=True, **more)


def has_type_hint_signature(metadata) -> bool:
    """Says whether the signature comes from type hints; MLflow then passes the request's data on unchanged."""
    return hasattr(metadata, "_is_signature_from_type_hint") and metadata._is_signature_from_type_hint()


def has_type_hint_from_example(metadata) -> bool:
    return hasattr(metadata, "_is_type_hint_from_example") and metadata._is_type_hint_from_example()


def read_parameters_schema(metadata):
    return metadata.get_params_schema() if hasattr(metadata, "get_params_schema") else None


def is_signature_of_mlflow(model) -> bool:
    """Says whether MLflow made the signature, for agents and chat models or from type hints.

    Authors cannot add properties to such a signature, so the answer may have more. An agent or chat model is recognised
    by MLflow's wrapper, whatever metadata its author gave it; a pipeline of transformers has only the task.
    """
    task = str((model.metadata.metadata or {}).get("task") or "") if hasattr(model.metadata, "metadata") else ""
    wrapper = type(getattr(model, "_model_impl", None)).__module__
    return (
        has_type_hint_signature(model.metadata)
        or wrapper.startswith(AGENT_LOADERS)
        or task.startswith(("agent/", "llm/"))
    )


def explain_predict_function(metadata) -> list[str]:
    """Explains why an answer may not fit its signature; empty when `predict` itself is served.

    MLflow infers signatures from `predict`, but a model may be served by another function.
    """
    function = ((metadata.flavors or {}).get("python_function") or {}).get("predict_fn") or "predict"
    if function == "predict":
        return []
    advice = f"log it with signature=infer_signature(X, model.{function}(X))"
    return [
        f'the model answers with "{function}" (pyfunc_predict_fn), but MLflow infers signatures from predict: {advice}'
    ]


def read_input_columns(metadata) -> list[dict] | None:
    """Returns the input signature as parsed JSON (see signature.py), or None."""
    return parse_schema(metadata.get_input_schema())


def read_output_columns(metadata) -> list[dict] | None:
    """Returns the output signature as parsed JSON (see signature.py), or None."""
    return parse_schema(metadata.get_output_schema())


def parse_schema(schema) -> list[dict] | None:
    return None if schema is None else json.loads(schema.to_json())
