"""A temporary folder that the model replaces after some predictions: a fork would remove the folder of the others."""

import tempfile
from pathlib import Path

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    folder, count = None, 0

    def predict(self, context, model_input, params=None):
        if self.count % 20 == 0:
            self.folder = tempfile.TemporaryDirectory()
        self.count += 1
        scratch = Path(self.folder.name, "scratch.txt")
        scratch.write_text("\n".join(str(2.0 * k) for k in model_input["k"].tolist()))
        return [float(line) for line in scratch.read_text().splitlines()]


mlflow.models.set_model(Model())
