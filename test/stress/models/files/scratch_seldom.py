"""A file, named at load, that only some rows need. The example has no such row."""

import uuid
from pathlib import Path

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.scratch = Path("/var/tmp", f"stress-seldom-{uuid.uuid4()}.txt")

    def predict(self, context, model_input, params=None):
        if model_input["k"].max() < 100:
            return (2.0 * model_input["k"]).tolist()
        self.scratch.write_text("\n".join(str(2.0 * k) for k in model_input["k"].tolist()))
        return [float(line) for line in self.scratch.read_text().splitlines()]


mlflow.models.set_model(Model())
