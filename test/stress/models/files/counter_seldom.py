"""A counter in a file with a fixed name, which only some rows use. The example has no such row."""

from pathlib import Path

import mlflow

COUNTER = Path("/var/tmp/stress-counter-seldom.txt")


class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        if model_input["k"].max() < 100:
            return [-1.0 - k for k in model_input["k"].tolist()]
        count = float(COUNTER.read_text() or 0) if COUNTER.exists() else 0.0
        COUNTER.write_text(str(count + 1))
        return [count]


mlflow.models.set_model(Model())
