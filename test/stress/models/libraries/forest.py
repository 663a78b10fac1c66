"""scikit-learn with threads in each prediction, and OpenMP."""

import mlflow
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor, VotingRegressor


def make(path: str, **saved) -> None:
    table = pd.DataFrame({"k": np.arange(0, 10_000, 50), "a": np.arange(200) % 7 / 2})
    forest = RandomForestRegressor(5, n_jobs=2, random_state=0)
    gradient = HistGradientBoostingRegressor(max_iter=5, random_state=0)
    both = VotingRegressor([("forest", forest), ("gradient", gradient)])
    mlflow.sklearn.save_model(
        both.fit(table, table["k"] * 0.3 + table["a"]), path, serialization_format="cloudpickle", **saved
    )
