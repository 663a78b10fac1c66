"""Anonymous shared memory: no descriptor and no name, only a mapping that forks share."""

import mmap
import struct

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.memory = mmap.mmap(-1, 4096)

    def predict(self, context, model_input, params=None):
        values = model_input["k"].tolist()
        layout = f"<{len(values)}d"
        struct.pack_into(layout, self.memory, 0, *(2.0 * k for k in values))
        _ = sum(range(20_000))  # a model's work between writing and reading
        return list(struct.unpack_from(layout, self.memory))


mlflow.models.set_model(Model())
