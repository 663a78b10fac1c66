"""A C library writes a fixed file into a folder that is not watched, and a thread forbids forks."""

import ctypes
import threading
from pathlib import Path

import mlflow

SCRATCH = Path(__file__).parent / "scratch.txt"
LIBRARY = ctypes.CDLL(None)
LIBRARY.fopen.restype = ctypes.c_void_p


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        threading.Thread(target=threading.Event().wait, daemon=True).start()

    def predict(self, context, model_input, params=None):
        file = ctypes.c_void_p(LIBRARY.fopen(str(SCRATCH).encode(), b"w"))
        LIBRARY.fputs("\n".join(str(2.0 * k) for k in model_input["k"].tolist()).encode(), file)
        LIBRARY.fclose(file)
        return [float(line) for line in SCRATCH.read_text().splitlines()]


mlflow.models.set_model(Model())
