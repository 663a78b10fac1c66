"""A file opened at load and read with seek under a lock of threads: forks share one offset."""

import struct
import threading
from pathlib import Path

import mlflow


def make_artifacts(folder: Path) -> dict:
    table = folder / "table.bin"
    table.write_bytes(struct.pack("<25000d", *(2.0 * k for k in range(25_000))))
    return {"table": str(table)}


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.table = open(context.artifacts["table"], "rb", buffering=0)  # noqa: SIM115
        self.lock = threading.Lock()

    def predict(self, context, model_input, params=None):
        return [self.look_up(k) for k in model_input["k"].tolist()]

    def look_up(self, k):
        with self.lock:
            self.table.seek(k * 8)
            return struct.unpack("<d", self.table.read(8))[0]


mlflow.models.set_model(Model())
