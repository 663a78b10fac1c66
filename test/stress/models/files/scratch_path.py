"""A file with a path chosen at load that exists only during a prediction, so it is not visible before or after one."""

import os
import tempfile
import uuid
from pathlib import Path

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.scratch = Path(tempfile.gettempdir(), f"scratch-{os.getpid()}-{uuid.uuid4()}.txt")

    def predict(self, context, model_input, params=None):
        self.scratch.write_text("\n".join(str(2.0 * k) for k in model_input["k"].tolist()))
        answer = [float(line) for line in self.scratch.read_text().splitlines()]
        self.scratch.unlink()
        return answer


mlflow.models.set_model(Model())
