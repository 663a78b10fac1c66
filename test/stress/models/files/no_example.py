"""A path chosen at load, in a model that was saved without an example."""

import tempfile
import uuid
from pathlib import Path

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.scratch = Path(tempfile.gettempdir(), f"{uuid.uuid4()}.txt")

    def predict(self, context, model_input, params=None):
        self.scratch.write_text("\n".join(str(2.0 * k) for k in model_input["k"].tolist()))
        return [float(line) for line in self.scratch.read_text().splitlines()]


def make(path, input_example, **saved):
    mlflow.pyfunc.save_model(path, python_model=__file__, **saved)


mlflow.models.set_model(Model())
