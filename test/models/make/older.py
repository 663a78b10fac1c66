"""Models as MLflow 1.x and 2.x save them. Only what all of these versions have."""

from __future__ import annotations

import mlflow.pyfunc
import mlflow.sklearn
import pandas as pd
from mlflow.models.signature import infer_signature
from sklearn.linear_model import LinearRegression

ROWS = pd.DataFrame({"size": [1.0, 2.0, 3.5], "rooms": [1, 2, 3]})


def save_sklearn(path: str, **more) -> None:
    model = LinearRegression().fit(ROWS, [1.0, 2.5, 3.0])
    signature = infer_signature(ROWS, model.predict(ROWS))
    mlflow.sklearn.save_model(model, path, signature=signature, input_example=ROWS.head(2), **more)


class Doubled(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        return model_input * 2


def save_pyfunc(path: str) -> None:
    import cloudpickle

    if hasattr(cloudpickle, "register_pickle_by_value"):
        cloudpickle.register_pickle_by_value(__import__(__name__))
    mlflow.pyfunc.save_model(
        path, python_model=Doubled(), signature=infer_signature(ROWS, ROWS * 2), input_example=ROWS
    )


def save_pinned(path: str) -> None:
    """MLflow 1.x requires `mlflow` without a version, and some of its users pin it."""
    save_sklearn(path, pip_requirements=["mlflow==1.30.1", "scikit-learn==1.3.2"])


mlflow1_sklearn = mlflow210_sklearn = mlflow222_sklearn = python313_sklearn = save_sklearn
mlflow1_pyfunc = mlflow210_pyfunc = mlflow222_pyfunc = python313_pyfunc = save_pyfunc
mlflow1_pinned = mlflow1_raised = save_pinned
