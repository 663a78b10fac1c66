"""One request's bytes in, one answer's bytes out, with MLflow's meaning. Runs in the model's virtualenv."""

from __future__ import annotations

import json
import time
import traceback

import numpy as np
import pandas as pd

from . import mlflow_adapter as mlflow
from .example import read_example
from .fast_frame import FastFrame
from .log import log
from .payload import Refused, is_llm, parse_csv, parse_object, parse_parquet, parse_payload
from .signature import SignatureMismatch, find_mismatches
from .strict_json import InvalidOutput, write_strictly
from .without_data import without_data

SLOW_SECONDS = 1
"""A model that takes longer has no use for a saved millisecond; its example is not predicted a second time."""


class Scorer:
    """A loaded model. `fast.usable` says whether the short way may be taken."""

    def __init__(self, path: str, nan: str = "error") -> None:
        self.model = mlflow.load_model(path)
        self.metadata = self.model.metadata
        self.schema = self.metadata.get_input_schema()
        self.outputs = mlflow.output_columns(self.metadata)
        self.example = read_example(path, self.metadata)
        self.nan, self.version = nan, mlflow.VERSION
        self.fast = FastFrame(self.model)
        self.may_be_fast, self.fast.usable = self.fast.usable, False
        self.seconds = 0.0

    def prove_fast_way(self, answer: str) -> None:
        """Allows the short way if it gives the same answer to the example that MLflow's way has just given."""
        if not self.may_be_fast or self.seconds > SLOW_SECONDS:
            return
        self.fast.usable = True
        try:
            self.fast.usable = self.predict("json", self.example) == answer
        except Exception:
            self.fast.usable = False

    def check(self, answer: str) -> None:
        """Raises SignatureMismatch when an answer contradicts the output signature."""
        value = json.loads(answer)
        wrapped = isinstance(value, dict) and value.keys() == {"predictions"}
        found = find_mismatches(self.outputs, value["predictions"] if wrapped else value, self.nan == "null")
        if found:
            raise SignatureMismatch("; ".join(found))

    def answer(self, kind: str, body: bytes, request_id: str) -> tuple[int, bytes]:
        """Status and body. The client's faults are 4xx, the model's are 5xx and go to the log."""
        try:
            return 200, self.predict(kind, body).encode()
        except Exception as error:
            status, code, message = fault(error)
            if status >= 500:
                log("model error", request=request_id, status=status, trace=traceback.format_exc())
            return status, json.dumps({"error_code": code, "message": message}).encode()

    def predict(self, kind: str, body: bytes) -> str:
        """The answer as strict JSON. Raises Refused, InvalidOutput, MlflowException or what the model raises."""
        if kind == "csv":
            return self.write(self.model.predict(parse_csv(body, self.schema)))
        if kind == "parquet":
            return self.write(self.model.predict(parse_parquet(body)))
        payload = parse_object(body)
        llm = is_llm(payload)
        frame = self.fast.make(payload) if self.fast.usable and not llm else None
        if frame is not None:
            return self.write(self.fast.predict(frame))
        data, params = parse_payload(payload, self.metadata, self.schema)
        started = time.perf_counter()
        result = self.model.predict(data, params=params)
        self.seconds = time.perf_counter() - started
        return self.write(result, bare=llm)

    def write(self, result: object, bare: bool = False) -> str:
        plain = plain_value(result)
        return write_strictly(plain if bare else {"predictions": plain}, mlflow.NumpyEncoder, self.nan)


def fault(error: Exception) -> tuple[int, str, str]:
    """HTTP status, MLflow's error code, and a sentence for the client."""
    if isinstance(error, Refused):
        return error.status, error.code, str(error)
    if isinstance(error, InvalidOutput):
        return 500, "INVALID_OUTPUT", f"{error}."
    if isinstance(error, mlflow.MlflowException):
        return error.get_http_status_code(), error.error_code, without_data(error.message)
    return 500, "INTERNAL_ERROR", f"The model raised {type(error).__name__}. The log has the rest."


def plain_value(result: object) -> object:
    """MLflow's shapes: arrays as lists, tables and series as records, the rest as it is."""
    if isinstance(result, np.ndarray):
        return result.tolist()
    if isinstance(result, pd.Series):
        result = pd.DataFrame(result)
    return result.to_dict(orient="records") if isinstance(result, pd.DataFrame) else result
