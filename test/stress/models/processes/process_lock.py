"""A lock and a value of multiprocessing: forks share both, so the answers are correct, but slower."""

import multiprocessing

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.value = multiprocessing.Value("d", 0.0)

    def predict(self, context, model_input, params=None):
        return [self.double(k) for k in model_input["k"].tolist()]

    def double(self, k):
        with self.value.get_lock():
            self.value.value = 2.0 * k
            return self.value.value


mlflow.models.set_model(Model())
