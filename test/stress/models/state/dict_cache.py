"""Answers cached in a dictionary that is cleared when full: state of each worker, which is harmless."""

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.cache = {}

    def predict(self, context, model_input, params=None):
        return [self.look_up(k) for k in model_input["k"].tolist()]

    def look_up(self, k):
        if len(self.cache) > 100:
            self.cache.clear()
        return self.cache.setdefault(k % 1000, 2.0 * (k % 1000)) + k - k % 1000


mlflow.models.set_model(Model())
