"""An array mapped for writing from a file: forks write into the same pages."""

import tempfile

import mlflow
import numpy as np


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.scratch = np.memmap(f"{tempfile.mkdtemp()}/scratch.bin", dtype=float, mode="w+", shape=(16,))

    def predict(self, context, model_input, params=None):
        count = len(model_input)
        self.scratch[:count] = model_input["k"].to_numpy() * 2.0
        _ = sum(range(20_000))  # a model's work between writing and reading
        return self.scratch[:count].tolist()


mlflow.models.set_model(Model())
