"""Answers one request with the model, with MLflow's semantics. Runs in the model's virtualenv."""

from __future__ import annotations

import json
import time
import traceback

import numpy as np
import pandas as pd

from ..failures.mlflow_reason import MESSAGE_CHARACTERS, extract_reason, is_about_input
from ..failures.root_cause import is_raised_by_mlflow
from ..files.write_locks import Deadlock
from ..processes.end_forked_children import end_forked_children
from ..protocol.log import log
from ..signatures.column_value import Leniency
from ..signatures.signature import SignatureMismatch, find_mismatches
from . import mlflow_adapter as mlflow
from .cases import REQUEST, Case
from .choose_cases import choose_cases
from .fast_frame import FastFrame
from .input_fault import find_input_fault
from .payload import is_llm, parse_csv, parse_object, parse_parquet, parse_payload
from .refused import Refused
from .strict_json import InvalidOutput, become_null, write_strictly

SLOW_SECONDS = 1
"""A slower model would not notice a saved millisecond, so nothing is predicted a second time."""


class Scorer:
    """A loaded model. `fast.usable` says whether the fast path may be taken.

    `cases` are what it predicts before it serves; the argument is the option --cases (see choose_cases.py).
    """

    def __init__(self, path: str, nan: str = "error", cases: str = "") -> None:
        self.path = path
        with end_forked_children():
            self.model = mlflow.load_model(path)
        self.metadata = self.model.metadata
        self.schema = self.metadata.get_input_schema()
        self.outputs = mlflow.read_output_columns(self.metadata)
        self.cases = choose_cases(path, self.metadata, cases)
        self.nan, self.version = nan, mlflow.VERSION
        self.replace_nan = become_null
        self.leniency = Leniency(nan == "null", mlflow.is_signature_of_mlflow(self.model))
        self.fast = FastFrame(self.model)
        self.can_be_fast, self.fast.usable = self.fast.usable, False
        self.seconds = 0.0

    def set_request(self, kind: str, body: bytes) -> None:
        """Makes one request the only case."""
        self.cases = [Case(REQUEST, "", kind, body, [])]

    def verify_fast_path(self, body: bytes, answer: str) -> None:
        """Allows the fast path if it gives the answer to a request that MLflow's path has just given."""
        if not self.can_be_fast or self.seconds > SLOW_SECONDS:
            return
        self.fast.usable = True
        try:
            self.fast.usable = self.predict("json", body) == answer
        except Exception:
            self.fast.usable = False

    def check(self, answer: str) -> None:
        """Checks an answer, as JSON. Raises SignatureMismatch when it contradicts the output signature."""
        value = json.loads(answer)
        wrapped = isinstance(value, dict) and value.keys() == {"predictions"}
        result = value["predictions"] if wrapped else value
        found = find_mismatches(self.outputs, result, self.leniency)
        if found:
            raise SignatureMismatch("; ".join([*found, *mlflow.explain_predict_function(self.metadata)]))

    def answer(self, kind: str, body: bytes, request_id: str) -> tuple[int, bytes]:
        """Returns HTTP status and JSON body. Faults of the client are 4xx; those of the model are 5xx and logged."""
        try:
            return 200, self.predict(kind, body).encode()
        except (KeyboardInterrupt, Deadlock):
            raise
        except BaseException as error:  # SystemExit, and what Rust calls a panic: no reason to load the model again
            status, code, message = self.describe(error, kind, body)
            if status >= 500:
                log("model error", request=request_id, status=status, trace=traceback.format_exc())
            return status, json.dumps({"error_code": code, "message": message}).encode()

    def predict(self, kind: str, body: bytes) -> str:
        """Returns the answer as strict JSON. Raises Refused, InvalidOutput, MlflowException or what the model raises.

        `kind` is "json", "csv" or "parquet".
        """
        payload = parse_object(body) if kind == "json" else {}
        llm = is_llm(payload)
        frame = self.fast.make_frame(payload) if self.fast.usable and payload and not llm else None
        if frame is not None:
            with end_forked_children():
                result = self.fast.predict(frame)
            return self.write(result)
        data, params = self.read(kind, body, payload)
        started = time.perf_counter()
        with end_forked_children():
            result = self.model.predict(data, params=params) if kind == "json" else self.model.predict(data)
        self.seconds = time.perf_counter() - started
        return self.write(result, bare=llm)

    def read(self, kind: str, body: bytes, payload: dict) -> tuple[object, dict | None]:
        """Returns data and parameters for the model. Raises Refused or MlflowException."""
        if kind == "csv":
            return parse_csv(body, self.schema), None
        if kind == "parquet":
            return parse_parquet(body), None
        return parse_payload(payload, self.metadata, self.schema)

    def describe(self, error: BaseException, kind: str, body: bytes) -> tuple[int, str, str]:
        """HTTP status, MLflow's error code and a sentence; a failure that the input explains is the client's."""
        status, code, message = classify_error(error)
        if status < 500 or isinstance(error, InvalidOutput):
            return status, code, message
        wrong = self.find_fault(kind, body)
        if wrong is None:
            return status, code, message
        return 400, "BAD_REQUEST", f"The model raised {type(error).__name__}: {wrong}."

    def find_fault(self, kind: str, body: bytes) -> str | None:
        """Describes what is wrong with a request on which the model has raised, or returns None.

        The model may have used up the memory, and an input without a signature may be anything: whatever fails here
        says nothing about the request, and must not hide what the model raised.
        """
        try:
            data, params = self.read(kind, body, parse_object(body) if kind == "json" else {})
            return find_input_fault(data, params, self.schema, mlflow.read_parameters_schema(self.metadata))
        except Exception:
            return None

    def write(self, result: object, bare: bool = False) -> str:
        plain = make_json_value(result)
        encoder = NullEncoder if self.nan == "null" else mlflow.NumpyEncoder
        return write_strictly(plain if bare else {"predictions": plain}, encoder, self.nan, self.replace_nan)


class NullEncoder(mlflow.NumpyEncoder):
    """Writes pandas' missing dates and strings (NaT, NA) as null."""

    def default(self, o):
        return None if o is pd.NaT or o is getattr(pd, "NA", pd.NaT) else super().default(o)


def classify_error(error: BaseException) -> tuple[int, str, str]:
    """HTTP status, MLflow's error code, and a sentence for the client."""
    if isinstance(error, Refused):
        return error.status, error.code, str(error)
    if isinstance(error, InvalidOutput):
        return 500, "INVALID_OUTPUT", f"{error}."
    known = isinstance(error, mlflow.MlflowException)
    status, code = (error.get_http_status_code(), error.error_code) if known else (500, "INTERNAL_ERROR")
    if status >= 500 and is_about_input(error):
        status, code = 400, "INVALID_PARAMETER_VALUE"
    if known and not is_raised_by_mlflow(error):  # the model's own message to its clients
        return status, code, error.message[:MESSAGE_CHARACTERS]
    if status < 500:
        return status, code, extract_reason(error) or "The input does not fit the model."
    return status, code, f"The model raised {type(error).__name__}. The log has the rest."


def make_json_value(result: object) -> object:
    """Converts an answer to MLflow's JSON forms: arrays to lists, tables and series to records."""
    if isinstance(result, np.ndarray):
        return result.tolist()
    if isinstance(result, pd.Series):
        result = pd.DataFrame(result)
    return result.to_dict(orient="records") if isinstance(result, pd.DataFrame) else result
