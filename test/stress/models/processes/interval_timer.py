"""A timer that runs from load on: a fork has its handler, but no timer."""

import signal
import time

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.ticks = 0
        signal.signal(signal.SIGALRM, self.tick)
        signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)

    def tick(self, number, frame):
        self.ticks += 1

    def predict(self, context, model_input, params=None):
        before = self.ticks
        while self.ticks == before:
            time.sleep(0.01)  # longer than the interval of the timer
        return (2.0 * model_input["k"]).tolist()


mlflow.models.set_model(Model())
