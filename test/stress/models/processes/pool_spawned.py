"""A pool of new interpreters in each prediction, which import the main module of the process that starts them."""

import math
import multiprocessing

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return pool.map(math.sqrt, model_input["k"].tolist())


mlflow.models.set_model(Model())
