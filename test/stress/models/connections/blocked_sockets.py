"""A model that replaces socket.socket to block its own network access."""

import socket

import mlflow


class Blocked(socket.socket):
    def __init__(self, *args, **kwargs):
        raise OSError("no network in this model")


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        socket.socket = Blocked

    def predict(self, context, model_input, params=None):
        return (2.0 * model_input["k"]).tolist()


mlflow.models.set_model(Model())
