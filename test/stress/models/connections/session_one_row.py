"""A session on a server, named at load. The example has only one row."""

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


def make(path, input_example, **saved):
    mlflow.pyfunc.save_model(path, python_model=__file__, input_example=input_example.head(1), **saved)


mlflow.models.set_model(Model())
