"""Plain scikit-learn."""

import mlflow
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression


def make(path: str, **saved) -> None:
    table = pd.DataFrame({"k": np.arange(100), "a": np.arange(100) % 7 / 2})
    model = LinearRegression().fit(table, table["k"] * 0.3 + table["a"])
    mlflow.sklearn.save_model(model, path, serialization_format="cloudpickle", **saved)
