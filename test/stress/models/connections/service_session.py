"""A session on a server, named at load. Each step of a prediction uses a new connection."""

import os
import socket
import uuid

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.session = uuid.uuid4().hex

    def predict(self, context, model_input, params=None):
        return [self.double(k) for k in model_input["k"].tolist()]

    def double(self, k):
        query(f"set {self.session} {k}")
        return float(query(f"get {self.session}")) * 2


def query(line):
    with socket.create_connection(("127.0.0.1", int(os.environ["STRESS_SERVICE"]))) as connection:
        connection.sendall(f"{line}\n".encode())
        return connection.makefile().readline()


mlflow.models.set_model(Model())
