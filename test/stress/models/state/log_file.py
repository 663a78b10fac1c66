"""A log, opened at load for appending and kept: no offset is shared, so forks are harmless."""

import logging

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.log = logging.getLogger("stress")
        self.log.setLevel(logging.INFO)
        self.log.addHandler(logging.FileHandler("stress-log-file.log"))

    def predict(self, context, model_input, params=None):
        self.log.info("%d rows", len(model_input))
        return (2.0 * model_input["k"]).tolist()


mlflow.models.set_model(Model())
