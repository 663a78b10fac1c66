"""A lock on a file opened at load: forks hold the lock together, so it excludes none of them."""

import fcntl
import tempfile
from pathlib import Path

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.folder = Path(tempfile.mkdtemp())
        self.lock = open(self.folder / "lock", "w")  # noqa: SIM115

    def predict(self, context, model_input, params=None):
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        try:
            (self.folder / "scratch.txt").write_text("\n".join(str(2.0 * k) for k in model_input["k"].tolist()))
            return [float(line) for line in (self.folder / "scratch.txt").read_text().splitlines()]
        finally:
            fcntl.flock(self.lock, fcntl.LOCK_UN)


mlflow.models.set_model(Model())
