"""The model's own time limit: SIGALRM in each prediction, with the handler set at load."""

import signal
import time

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        signal.signal(signal.SIGALRM, self.end)

    def end(self, number, frame):
        raise TimeoutError("too late")

    def predict(self, context, model_input, params=None):
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.001)
            time.sleep(10)
        except TimeoutError:
            return (2.0 * model_input["k"]).tolist()


mlflow.models.set_model(Model())
