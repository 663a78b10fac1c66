"""A file with a fixed name to which a prediction appends rows that it then reads. The example needs no file."""

from pathlib import Path

import mlflow

JOURNAL = Path("/var/tmp/stress-journal.txt")


class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        if model_input["k"].max() < 100:
            return (2.0 * model_input["k"]).tolist()
        return [self.double(k) for k in model_input["k"].tolist()]

    def double(self, k):
        with open(JOURNAL, "a") as file:
            file.write(f"{2.0 * k}\n")
        return float(JOURNAL.read_text().splitlines()[-1])


mlflow.models.set_model(Model())
