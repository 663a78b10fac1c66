"""A file that a hook opens again in each fork, and a lock that each fork takes for a moment."""

import os
import tempfile
import threading

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.lock = threading.Lock()
        self.path = f"{tempfile.mkdtemp()}/doubled.txt"
        with open(self.path, "w") as file:
            file.writelines(f"{2.0 * k:20}" for k in range(25_000))
        self.file = open(self.path)  # noqa: SIM115
        os.register_at_fork(before=self.lock.acquire, after_in_parent=self.lock.release, after_in_child=self.reopen)

    def reopen(self):
        self.file = open(self.path)  # noqa: SIM115
        self.lock.release()

    def predict(self, context, model_input, params=None):
        with self.lock:
            return [self.read(k) for k in model_input["k"].tolist()]

    def read(self, k):
        self.file.seek(20 * k)
        return float(self.file.read(20))


mlflow.models.set_model(Model())
