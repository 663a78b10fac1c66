"""Runs the snippets of Databricks' page on custom models as they stand there, and registers what each has logged.

python log_snippets.py NAME... logs to MLFLOW_TRACKING_URI. Prints one JSON object: for each name, null or the error.
"""

from __future__ import annotations

import json
import sys
import traceback
from functools import partial
from pathlib import Path

TRAINED = """
import mlflow
import mlflow.sklearn
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

iris = load_iris()
training_data = iris.data
model = RandomForestClassifier(n_estimators=5)
model.fit(iris.data, iris.target)
"""

SNIPPETS = {
    "autologging": (
        "import mlflow\nmlflow.autolog()",  # the Databricks Runtime for ML does this
        """
import mlflow
from sklearn.ensemble import RandomForestRegressor
from sklearn.datasets import load_iris
iris = load_iris()
model = RandomForestRegressor()
model.fit(iris.data, iris.target)
""",
    ),
    "flavor": (
        "",
        """
import mlflow
from sklearn.ensemble import RandomForestClassifier
from sklearn.datasets import load_iris
iris = load_iris()
model = RandomForestClassifier()
model.fit(iris.data, iris.target)
with mlflow.start_run():
    mlflow.sklearn.log_model(model, "random_forest_classifier")
""",
    ),
    "pyfunc": (
        "",
        """
import mlflow
import mlflow.pyfunc
class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        return model_input * 2
with mlflow.start_run():
    mlflow.pyfunc.log_model("custom_model", python_model=Model())
""",
    ),
    "signature": (
        TRAINED,
        """
from mlflow.models.signature import infer_signature
signature = infer_signature(training_data, model.predict(training_data))
mlflow.sklearn.log_model(model, "model", signature=signature)
""",
    ),
    "input-example": (
        TRAINED,
        """
input_example = {"feature1": 0.5, "feature2": 3}
mlflow.sklearn.log_model(model, "model", input_example=input_example)
""",
    ),
    "pip-requirements": (
        TRAINED,
        'mlflow.sklearn.log_model(model, "sklearn-model", pip_requirements = ["scikit-learn", "numpy"])',
    ),
    "conda-env": (
        TRAINED,
        """
conda_env = { 'channels': ['defaults'], 'dependencies': [ 'python=3.7.0', 'scikit-learn=0.21.3' ], 'name': 'mlflow-env' }
mlflow.sklearn.log_model(model, "sklearn-model", conda_env = conda_env)
""",  # noqa: E501  # as it stands
    ),
    "extra-pip-requirements": (
        TRAINED,
        'mlflow.sklearn.log_model(model, "sklearn-model", extra_pip_requirements = ["sklearn_req"])',
    ),
    "code-path": (
        TRAINED,
        'mlflow.sklearn.log_model(model, "sklearn-model", code_path=["path/to/helper_functions.py"],)',
    ),
    "code-paths": (  # the name since MLflow 3
        TRAINED,
        'mlflow.sklearn.log_model(model, "sklearn-model", code_paths=["path/to/helper_functions.py"],)',
    ),
}


def main(names: list[str]) -> None:
    helper = Path("path/to/helper_functions.py")
    helper.parent.mkdir(parents=True, exist_ok=True)
    helper.write_text("def help():\n    return 1\n")
    use_cloudpickle()
    print(json.dumps({name: log(name) for name in names}))


def use_cloudpickle() -> None:
    """Makes it the default, as in every MLflow before 3.17, where skops refuses the trees of the snippets' forests."""
    import mlflow.sklearn

    mlflow.sklearn.log_model = partial(mlflow.sklearn.log_model, serialization_format="cloudpickle")


def log(name: str) -> str | None:
    import mlflow

    prelude, snippet = SNIPPETS[name]
    try:
        mlflow.autolog(disable=True)
        module = {"__name__": "__main__"}
        exec(prelude, module)
        exec(snippet, module)
        mlflow.end_run()
        logged = mlflow.last_logged_model()
        mlflow.register_model(f"models:/{logged.model_id}", name)
    except Exception as error:
        traceback.print_exc()
        mlflow.end_run()
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    main(sys.argv[1:])
