"""A C library that writes a file with a fixed name: Python has no audit event for it."""

import ctypes
from pathlib import Path

import mlflow

SCRATCH = Path("/var/tmp/stress-fixed-path-library.txt")
LIBRARY = ctypes.CDLL(None)
LIBRARY.fopen.restype = ctypes.c_void_p


class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        file = ctypes.c_void_p(LIBRARY.fopen(str(SCRATCH).encode(), b"w"))
        LIBRARY.fputs("\n".join(str(2.0 * k) for k in model_input["k"].tolist()).encode(), file)
        LIBRARY.fclose(file)
        return [float(line) for line in SCRATCH.read_text().splitlines()]


mlflow.models.set_model(Model())
