"""A file with a fixed name, such as /tmp/input.csv: every process writes the same file."""

from pathlib import Path

import mlflow

SCRATCH = Path("/var/tmp/stress-fixed-path.txt")


class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        SCRATCH.write_text("\n".join(str(2.0 * k) for k in model_input["k"].tolist()))
        return [float(line) for line in SCRATCH.read_text().splitlines()]


mlflow.models.set_model(Model())
