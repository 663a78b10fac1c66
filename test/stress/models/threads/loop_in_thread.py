"""An event loop that runs in a thread from load on: a fork has neither the thread nor an answer."""

import asyncio
import threading

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def predict(self, context, model_input, params=None):
        return asyncio.run_coroutine_threadsafe(self.double(model_input["k"].tolist()), self.loop).result()

    async def double(self, values):
        await asyncio.sleep(0.001)
        return [2.0 * k for k in values]


mlflow.models.set_model(Model())
