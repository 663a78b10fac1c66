"""A program run by each prediction: its end must be seen, whoever waits for children."""

import subprocess

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        terms = " ".join(f"$(({k} * 2))" for k in model_input["k"].tolist())
        ran = subprocess.run(["sh", "-c", f"echo {terms}"], capture_output=True, text=True, check=True)
        return [float(word) for word in ran.stdout.split()]


mlflow.models.set_model(Model())
