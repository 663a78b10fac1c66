"""A file with a fixed name that each worker opens at load and keeps: no prediction opens it."""

import threading

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.file = open("/var/tmp/stress-kept-file.txt", "w+")  # noqa: SIM115
        self.lock = threading.Lock()

    def predict(self, context, model_input, params=None):
        with self.lock:
            self.file.seek(0)
            self.file.truncate()
            self.file.write("\n".join(str(2.0 * k) for k in model_input["k"].tolist()))
            self.file.flush()
            self.file.seek(0)
            return [float(line) for line in self.file.read().splitlines()]


mlflow.models.set_model(Model())
