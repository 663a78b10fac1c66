"""CatBoost, which keeps its own thread pool in C++."""

import mlflow
import numpy as np
import pandas as pd
from catboost import CatBoostRegressor


def make(path: str, **saved) -> None:
    table = pd.DataFrame({"k": np.arange(0, 25_000, 25), "a": np.arange(1000) % 7 / 2})
    model = CatBoostRegressor(iterations=20, random_seed=0, verbose=False, allow_writing_files=False)
    mlflow.catboost.save_model(model.fit(table, table["k"] * 0.3 + table["a"]), path, **saved)
