"""A temporary file made and closed at load, which each prediction writes again: no descriptor stays open."""

import tempfile
from pathlib import Path

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        with tempfile.NamedTemporaryFile(delete=False) as file:
            self.scratch = Path(file.name)

    def predict(self, context, model_input, params=None):
        self.scratch.write_text("\n".join(str(2.0 * k) for k in model_input["k"].tolist()))
        return [float(line) for line in self.scratch.read_text().splitlines()]


mlflow.models.set_model(Model())
