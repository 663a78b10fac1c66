"""A counter in a file that is opened with the mode "a+", read, emptied and written. The example does not use it."""

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        if model_input["k"].max() < 100:
            return [-1.0 - k for k in model_input["k"].tolist()]
        with open("/var/tmp/stress-counter-appended.txt", "a+") as file:
            file.seek(0)
            count = float(file.read() or 0)
            file.truncate(0)
            file.write(str(count + 1))
        return [count]


mlflow.models.set_model(Model())
