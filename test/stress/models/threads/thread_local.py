"""State of the thread that loads the model: correct if the same thread predicts, or if a fork has a copy."""

import threading

import mlflow

LOCAL = threading.local()


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        LOCAL.factor = 2.0

    def predict(self, context, model_input, params=None):
        LOCAL.values = model_input["k"].tolist()
        return [LOCAL.factor * k for k in LOCAL.values]


mlflow.models.set_model(Model())
