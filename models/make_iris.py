# /// script
# requires-python = "==3.11.*"
# dependencies = [
#   "mlflow-skinny==3.17.2",
#   "numpy==2.4.6",
#   "pandas==3.1.1",
#   "scikit-learn==1.9.1",
#   "skops==0.16.0",
# ]
# ///
"""Makes the example models models/iris/1 and models/iris/2.

    uv run models/make_iris.py

Both tell iris flowers apart by four lengths. Version 1 answers with the number of the species (0, 1, 2), version 2 with
its name (setosa, versicolor, virginica), so that a person sees at once which of them answered.
"""

import shutil
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import sklearn
import skops
from mlflow.models import infer_signature
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

HERE = Path(__file__).resolve().parent
# mlflow-skinny instead of mlflow: all that serving needs, half the size.
REQUIREMENTS = [
    f"mlflow-skinny=={mlflow.__version__}",
    f"numpy=={np.__version__}",
    f"pandas=={pd.__version__}",
    f"scikit-learn=={sklearn.__version__}",
    f"skops=={skops.__version__}",
]


def main() -> None:
    flowers = load_iris(as_frame=True)
    names = np.array([str(name) for name in flowers.target_names])
    # One flower of each species, so that the example's answer shows all three.
    example = flowers.data.iloc[[0, 75, 140]].reset_index(drop=True)
    save("1", flowers.data, flowers.target.to_numpy(), example)
    save("2", flowers.data, names[flowers.target], example)


def save(version: str, lengths: pd.DataFrame, species: np.ndarray, example: pd.DataFrame) -> None:
    model = LogisticRegression(max_iter=1000).fit(lengths, species)
    folder = HERE / "iris" / version
    shutil.rmtree(folder, ignore_errors=True)
    mlflow.sklearn.save_model(
        model,
        str(folder),
        serialization_format="skops",
        signature=infer_signature(example, model.predict(example)),
        input_example=example,
        pip_requirements=REQUIREMENTS,
    )
    print(folder, model.predict(example).tolist())


if __name__ == "__main__":
    main()
