"""A lock file with a fixed name, opened at load, that is locked while each row uses a scratch file."""

import fcntl
from pathlib import Path

import mlflow

SCRATCH = Path("/var/tmp/stress-locked-rows.txt")


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.lock = open("/var/tmp/stress-locked-rows.lock", "w")  # noqa: SIM115

    def predict(self, context, model_input, params=None):
        return [self.double(k) for k in model_input["k"].tolist()]

    def double(self, k):
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        try:
            SCRATCH.write_text(str(2.0 * k))
            return float(SCRATCH.read_text())
        finally:
            fcntl.flock(self.lock, fcntl.LOCK_UN)


mlflow.models.set_model(Model())
