"""A model from code: MLflow keeps this file instead of a pickle."""

from helpers import scale
from mlflow.models import ModelConfig, set_model
from mlflow.pyfunc import PythonModel

config = ModelConfig(development_config={"factor": 3})


class FromCode(PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input[["name"]].assign(size=scale(model_input["size"], config.get("factor")))


set_model(FromCode())
