"""A file opened at load and referenced only by a cycle: the garbage collector closes it."""

import mlflow


class Reader:
    def __init__(self):
        self.file, self.me = open("/etc/passwd"), self  # noqa: SIM115


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        Reader().file.read()

    def predict(self, context, model_input, params=None):
        return (2.0 * model_input["k"]).tolist()


mlflow.models.set_model(Model())
