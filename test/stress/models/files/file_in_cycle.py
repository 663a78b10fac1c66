"""A file that load reads and forgets, in a cycle of references: closed when the collector comes."""

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
