"""A connection kept since load, to a session under a fixed name: workers share the session, not the connection."""

import os
import socket
import threading

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.lines = socket.create_connection(("127.0.0.1", int(os.environ["STRESS_SERVICE"]))).makefile("rw")
        self.lock = threading.Lock()

    def predict(self, context, model_input, params=None):
        with self.lock:
            return [self.double(k) for k in model_input["k"].tolist()]

    def double(self, k):
        self.query(f"set kept {k}")
        return float(self.query("get kept")) * 2

    def query(self, line):
        self.lines.write(f"{line}\n")
        self.lines.flush()
        return self.lines.readline()


mlflow.models.set_model(Model())
