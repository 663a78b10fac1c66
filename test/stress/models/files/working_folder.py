"""A model that changes to a new temporary folder at load and uses relative paths there."""

import os
import tempfile
from pathlib import Path

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        os.chdir(tempfile.mkdtemp())

    def predict(self, context, model_input, params=None):
        scratch = Path("scratch.txt")
        scratch.write_text("\n".join(str(2.0 * k) for k in model_input["k"].tolist()))
        return [float(line) for line in scratch.read_text().splitlines()]


mlflow.models.set_model(Model())
