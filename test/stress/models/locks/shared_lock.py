"""A license file that predictions lock together, so it keeps no other one from a fixed file. The example needs none."""

import fcntl
from pathlib import Path

import mlflow

LICENSE, SCRATCH = Path("/var/tmp/stress-license.txt"), Path("/var/tmp/stress-licensed.txt")


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        LICENSE.touch()

    def predict(self, context, model_input, params=None):
        with open(LICENSE) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            if model_input["k"].max() < 100:
                return (2.0 * model_input["k"]).tolist()
            SCRATCH.write_text("\n".join(str(2.0 * k) for k in model_input["k"].tolist()))
            return [float(line) for line in SCRATCH.read_text().splitlines()]


mlflow.models.set_model(Model())
