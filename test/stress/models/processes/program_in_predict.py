"""A program run by each prediction: the prediction must receive its exit status, even if the worker reaps children."""

import subprocess

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        terms = " ".join(f"$(({k} * 2))" for k in model_input["k"].tolist())
        ran = subprocess.run(["sh", "-c", f"echo {terms}"], capture_output=True, text=True, check=True)
        return [float(word) for word in ran.stdout.split()]


mlflow.models.set_model(Model())
