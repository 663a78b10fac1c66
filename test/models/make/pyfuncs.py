"""Models of people's own Python, saved with mlflow.pyfunc: artifacts, code, parameters, and every kind of signature."""

from __future__ import annotations

import datetime
import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow.models import ModelSignature, infer_signature
from mlflow.pyfunc import PythonModel, save_model
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec

PACKAGES = ["mlflow", "pandas", "cloudpickle"]
HERE = Path(__file__).resolve().parent


def describe(value) -> str:
    """Describes exactly what a model got: a different type or value gives another text."""
    if isinstance(value, pd.DataFrame):
        columns = {str(name): describe(value[name]) for name in value.columns}
        return f"table of {len(value)}: {json.dumps(columns, ensure_ascii=False)}"
    if isinstance(value, pd.Series):
        return f"{value.dtype}{[describe(item) for item in value.tolist()]}"
    if isinstance(value, np.ndarray):
        return f"array {value.dtype}{value.shape}{value.tolist()}"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {describe(item)}' for key, item in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__}[{', '.join(map(describe, value))}]"
    return f"{type(value).__name__} {value!r}"


class Echo(PythonModel):
    """Answers with a description of its input and parameters, so a comparison sees every difference."""

    def predict(self, context, model_input, params=None):
        return [describe(model_input), describe(params)]


Echo.predict.__annotations__ = {}


def echo(path: str, inputs, example=None, params=None, **more) -> None:
    import cloudpickle

    cloudpickle.register_pickle_by_value(__import__(__name__))
    signature = ModelSignature(inputs=inputs, outputs=Schema([ColSpec("string")]), params=params)
    save_model(path, python_model=Echo(), signature=signature, input_example=example, pip_requirements=PACKAGES, **more)


def artifacts(path: str) -> None:
    class Table(PythonModel):
        def load_context(self, context):
            self.factors = json.loads(Path(context.artifacts["factors"]).read_text())

        def predict(self, context, model_input, params=None):
            return model_input["size"] * self.factors["size"]

    file = Path(tempfile.mkdtemp()) / "factors with blank.json"
    file.write_text('{"size": 2.5}')
    rows = pd.DataFrame({"size": [1.0, 2.0]})
    save_model(
        path,
        python_model=Table(),
        artifacts={"factors": str(file)},
        signature=infer_signature(rows, rows["size"]),
        input_example=rows,
        pip_requirements=PACKAGES,
    )


def from_code(path: str) -> None:
    rows = pd.DataFrame({"size": [1.0, 2.0], "name": ["a", "b"]})
    save_model(
        path,
        python_model=str(HERE / "from_code.py"),
        code_paths=[str(HERE / "helpers.py")],
        model_config={"factor": 3},
        signature=infer_signature(rows, pd.DataFrame({"name": ["a"], "size": [1.0]})),
        input_example=rows,
        pip_requirements=PACKAGES,
    )


def columns_all(path: str) -> None:
    """Every scalar type, and an optional column of most of them."""
    types = ["string", "double", "float", "long", "integer", "boolean", "datetime", "binary"]
    inputs = [ColSpec(kind, kind) for kind in types]
    inputs += [ColSpec(kind, f"maybe_{kind}", required=False) for kind in ("string", "double", "long", "boolean")]
    echo(path, Schema(inputs))


def dates(path: str) -> None:
    """An example with and without milliseconds, which MLflow itself cannot read back."""
    rows = pd.DataFrame(
        {"day": pd.to_datetime(["2026-01-01T00:00:00.000", "2026-01-02T03:04:05.678"]), "size": [1.0, 2.0]}
    )
    echo(path, Schema([ColSpec("datetime", "day"), ColSpec("double", "size")]), rows)


def dates_answer(path: str) -> None:
    class Days(PythonModel):
        def predict(self, context, model_input, params=None):
            day = model_input["day"]
            return pd.DataFrame({"next": day + datetime.timedelta(days=1), "year": day.dt.year})

    rows = pd.DataFrame({"day": pd.to_datetime(["2026-01-01", "2026-01-02"])})
    answers = Days().predict(None, rows)
    save_model(
        path,
        python_model=Days(),
        signature=infer_signature(rows, answers),
        input_example=rows,
        pip_requirements=PACKAGES,
    )


def missing_values(path: str) -> None:
    """Answers with missing texts, as models do for rows that they cannot judge. pandas 3 makes them NaN."""

    class Gaps(PythonModel):
        def predict(self, context, model_input, params=None):
            return pd.DataFrame({"text": [None if pd.isna(v) else str(v) for v in model_input["size"]]})

    rows = pd.DataFrame({"size": [1.0, np.nan]})
    save_model(
        path,
        python_model=Gaps(),
        signature=ModelSignature(
            Schema([ColSpec("double", "size", required=False)]), Schema([ColSpec("string", "text", required=False)])
        ),
        input_example=rows,
        pip_requirements=PACKAGES,
    )


def nan_answer(path: str) -> None:
    class Nan(PythonModel):
        def predict(self, context, model_input, params=None):
            return (model_input["size"] / model_input["weight"]).rename("size")

    rows = pd.DataFrame({"size": [1.0, 3.0], "weight": [2.0, 4.0]})
    save_model(
        path,
        python_model=Nan(),
        signature=infer_signature(rows, rows["size"]),
        input_example=rows,
        pip_requirements=PACKAGES,
    )


def tensor(path: str) -> None:
    example = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    echo(path, Schema([TensorSpec(np.dtype("float32"), (-1, 2, 3))]), example)


def named_tensors(path: str) -> None:
    inputs = Schema([TensorSpec(np.dtype("int64"), (-1,), "ids"), TensorSpec(np.dtype("float32"), (-1, 2), "points")])
    echo(path, inputs, {"ids": np.array([1, 2]), "points": np.ones((2, 2), dtype=np.float32)})


def nested(path: str) -> None:
    from mlflow.types.schema import Array, DataType, Object, Property

    point = Object([Property("x", DataType.double), Property("name", DataType.string, required=False)])
    inputs = Schema([ColSpec(Array(DataType.string), "tags"), ColSpec(point, "point"), ColSpec(Array(point), "path")])
    example = [{"tags": ["a", "ä"], "point": {"x": 1.5, "name": "p"}, "path": [{"x": 2.0}, {"x": 3.0, "name": "q"}]}]
    echo(path, inputs, example)


def parameters(path: str) -> None:
    params = ParamSchema(
        [
            ParamSpec("factor", "double", 1.5),
            ParamSpec("count", "long", 3),
            ParamSpec("name", "string", "ä"),
            ParamSpec("is_new", "boolean", False),
            ParamSpec("day", "datetime", np.datetime64("2026-01-01")),
            ParamSpec("stops", "string", ["a", "b"], shape=(-1,)),
        ]
    )
    rows = pd.DataFrame({"size": [1.0, 2.0]})
    echo(path, Schema([ColSpec("double", "size")]), rows, params)


def large(path: str) -> None:
    """300 MB that are read when the model is loaded."""

    class Large(PythonModel):
        def load_context(self, context):
            self.weights = np.load(context.artifacts["weights"])

        def predict(self, context, model_input, params=None):
            return self.weights[model_input["row"]]

    file = Path(tempfile.mkdtemp()) / "weights.npy"
    np.save(file, np.arange(300_000_000 // 8, dtype=np.float64))
    rows = pd.DataFrame({"row": [0, 7, 37_000_000]})
    save_model(
        path,
        python_model=Large(),
        artifacts={"weights": str(file)},
        signature=infer_signature(rows, np.zeros(3)),
        input_example=rows,
        pip_requirements=[*PACKAGES, "numpy"],
    )
    file.unlink()


def no_signature(path: str) -> None:
    import cloudpickle

    cloudpickle.register_pickle_by_value(__import__(__name__))
    save_model(path, python_model=Echo(), pip_requirements=PACKAGES)


def type_hints(path: str) -> None:
    class Words(PythonModel):
        def predict(self, model_input: list[str], params=None) -> list[str]:
            return [text.upper() for text in model_input]

    save_model(path, python_model=Words(), input_example=["a", "ä"], pip_requirements=PACKAGES)


def type_hints_object(path: str) -> None:
    import pydantic

    class Item(pydantic.BaseModel):
        name: str
        size: float
        tags: list[str] = []

    class Items(PythonModel):
        def predict(self, model_input: list[Item], params=None) -> list[str]:
            return [f"{type(item).__name__} {item!r}" for item in model_input]

    Items.predict.__annotations__ = {"model_input": list[Item], "return": list[str]}
    example = [{"name": "a", "size": 1.5}, {"name": "b", "size": 2, "tags": ["t"]}]
    save_model(path, python_model=Items(), input_example=example, pip_requirements=[*PACKAGES, "pydantic"])


def chat_agent(path: str) -> None:
    save_model(path, python_model=str(HERE / "chat_agent.py"), pip_requirements=["mlflow"])


missing_values_null = missing_values
