"""XGBoost, with the threads of OpenMP."""

import mlflow
import numpy as np
import pandas as pd
from xgboost import XGBRegressor


def make(path: str, **saved) -> None:
    table = pd.DataFrame({"k": np.arange(0, 25_000, 25), "a": np.arange(1000) % 7 / 2})
    model = XGBRegressor(n_estimators=20, random_state=0)
    mlflow.xgboost.save_model(model.fit(table, table["k"] * 0.3 + table["a"]), path, **saved)
