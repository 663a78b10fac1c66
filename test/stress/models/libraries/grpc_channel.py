"""A gRPC channel to a server in the model's own process, with the threads of gRPC's C core."""

from concurrent.futures import ThreadPoolExecutor

import grpc
import mlflow


def double(request, context):
    return str(float(request) * 2).encode()


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        methods = {"double": grpc.unary_unary_rpc_method_handler(double)}
        handler = grpc.method_handlers_generic_handler("stress", methods)
        self.server = grpc.server(ThreadPoolExecutor(2))
        self.server.add_generic_rpc_handlers([handler])
        port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.double = self.channel.unary_unary("/stress/double")

    def predict(self, context, model_input, params=None):
        return [float(self.double(str(k).encode(), timeout=10)) for k in model_input["k"].tolist()]


mlflow.models.set_model(Model())
