"""A thread of a few milliseconds that each prediction starts and does not wait for."""

import threading
import time

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        threading.Thread(target=time.sleep, args=(0.05,), daemon=True).start()
        return (2.0 * model_input["k"]).tolist()


mlflow.models.set_model(Model())
