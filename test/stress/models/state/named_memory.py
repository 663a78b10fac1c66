"""Shared memory with a fixed name, to which every worker attaches at load."""

import struct
import threading
from multiprocessing import resource_tracker, shared_memory

import mlflow

NAME = "stress_named_memory"


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        try:
            self.memory = shared_memory.SharedMemory(name=NAME, create=True, size=4096)
        except FileExistsError:
            self.memory = shared_memory.SharedMemory(name=NAME)
        resource_tracker.unregister(f"/{NAME}", "shared_memory")  # it outlives the process that made it
        self.lock = threading.Lock()

    def predict(self, context, model_input, params=None):
        values = model_input["k"].tolist()
        layout = f"<{len(values)}d"
        with self.lock:
            struct.pack_into(layout, self.memory.buf, 0, *(2.0 * k for k in values))
            _ = sum(range(20_000))  # a model's work between writing and reading
            return list(struct.unpack_from(layout, self.memory.buf))


mlflow.models.set_model(Model())
