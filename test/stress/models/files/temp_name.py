"""A file with a fixed name in the temporary folder: correct if each worker has its own temporary folder."""

import os
import tempfile
from pathlib import Path

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        scratch = Path(tempfile.gettempdir(), f"stress-scratch-{os.getuid()}.txt")
        scratch.write_text("\n".join(str(2.0 * k) for k in model_input["k"].tolist()))
        answer = [float(line) for line in scratch.read_text().splitlines()]
        scratch.unlink()
        return answer


mlflow.models.set_model(Model())
