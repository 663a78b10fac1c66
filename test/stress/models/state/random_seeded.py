"""Random numbers, seeded by the input: they must come from the worker's own generators."""

import random

import mlflow
import numpy as np


class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [self.draw(k) for k in model_input["k"].tolist()]

    def draw(self, k):
        random.seed(k)
        np.random.seed(k)
        return random.random() + float(np.random.rand()) + float(np.random.default_rng(k).random())


mlflow.models.set_model(Model())
