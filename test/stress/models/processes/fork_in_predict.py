"""A process that each prediction forks, and that ends with SystemExit: it must not answer requests itself."""

import os
import sys

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        values = model_input["k"].tolist()
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            os.write(writing, " ".join(str(2.0 * k) for k in values).encode())
            os.close(writing)
            sys.exit(0)
        os.close(writing)
        with open(reading) as answer:
            return [float(value) for value in answer.read().split()]


mlflow.models.set_model(Model())
