"""A lock that ends when its file is closed, before a fixed file is written. The example needs no file."""

import fcntl
from pathlib import Path

import mlflow

LOCK, SCRATCH = Path("/var/tmp/stress-closed.lock"), Path("/var/tmp/stress-closed.txt")


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        LOCK.touch()

    def predict(self, context, model_input, params=None):
        with open(LOCK) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
        if model_input["k"].max() < 100:
            return (2.0 * model_input["k"]).tolist()
        SCRATCH.write_text("\n".join(str(2.0 * k) for k in model_input["k"].tolist()))
        return [float(line) for line in SCRATCH.read_text().splitlines()]


mlflow.models.set_model(Model())
