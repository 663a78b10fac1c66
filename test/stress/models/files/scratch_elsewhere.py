"""A file outside the temporary folder, named at load, that exists only during a prediction."""

import uuid
from pathlib import Path

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.scratch = Path("/var/tmp", f"stress-{uuid.uuid4()}.txt")

    def predict(self, context, model_input, params=None):
        self.scratch.write_text("\n".join(str(2.0 * k) for k in model_input["k"].tolist()))
        answer = [float(line) for line in self.scratch.read_text().splitlines()]
        self.scratch.unlink()
        return answer


mlflow.models.set_model(Model())
