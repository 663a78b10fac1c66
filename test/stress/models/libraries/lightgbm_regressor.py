"""LightGBM, with the threads of OpenMP."""

import mlflow
import numpy as np
import pandas as pd
from lightgbm import LGBMRegressor


def make(path: str, **saved) -> None:
    table = pd.DataFrame({"k": np.arange(0, 25_000, 25), "a": np.arange(1000) % 7 / 2})
    model = LGBMRegressor(n_estimators=20, random_state=0, verbose=-1)
    mlflow.lightgbm.save_model(model.fit(table, table["k"] * 0.3 + table["a"]).booster_, path, **saved)
