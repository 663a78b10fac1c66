"""A pool of processes in each prediction: it ends them with SIGTERM, which they must not ignore."""

import multiprocessing

import mlflow


def double(k):
    return 2.0 * k


class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        with multiprocessing.get_context("fork").Pool(2) as pool:
            return pool.map(double, model_input["k"].tolist())


mlflow.models.set_model(Model())
