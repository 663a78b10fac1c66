"""ONNX Runtime, whose session has threads that wait for work."""

from pathlib import Path

import mlflow
import numpy as np
import onnxruntime
from onnx import TensorProto, helper, save


def make_artifacts(folder: Path) -> dict:
    given = helper.make_tensor_value_info("given", TensorProto.FLOAT, [None, 64])
    answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, [None, 64])
    weights = np.linspace(-1, 1, 64 * 64, dtype=np.float32)
    weight = helper.make_tensor("weight", TensorProto.FLOAT, [64, 64], weights)
    nodes = [
        helper.make_node("MatMul", ["given", "weight"], ["inner"]),
        helper.make_node("Tanh", ["inner"], ["answer"]),
    ]
    graph = helper.make_graph(nodes, "dense", [given], [answer], [weight])
    save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(folder / "model.onnx")
    )
    return {"network": str(folder / "model.onnx")}


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        self.session = onnxruntime.InferenceSession(context.artifacts["network"], options)

    def predict(self, context, model_input, params=None):
        given = model_input["k"].to_numpy(np.float32)[:, None] * np.linspace(0, 1e-4, 64, dtype=np.float32)
        return self.session.run(None, {"given": given})[0][:, :4].tolist()


mlflow.models.set_model(Model())
