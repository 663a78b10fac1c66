"""Models of further libraries, as their owners log them: with the flavor where MLflow has one, else in a pyfunc."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
from flavors import make_rows, require, sign
from mlflow.models import ModelSignature, infer_signature
from mlflow.pyfunc import PythonModel, save_model
from mlflow.types import ColSpec, Schema

TEXTS = pd.DataFrame({"text": ["good flower", "bad flower", "good day", "bad night", "fine", "über"] * 5})
LABELS = np.array(["up", "down", "up", "down", "up", "down"] * 5)


def xgboost_booster(path: str) -> None:
    import mlflow.xgboost
    import xgboost

    rows, target = make_rows()
    model = xgboost.train({"max_depth": 2, "seed": 7}, xgboost.DMatrix(rows, target), 5)
    answers = model.predict(xgboost.DMatrix(rows))
    mlflow.xgboost.save_model(model, path, **sign(rows, answers), **require(mlflow.xgboost))


def lightgbm_categories(path: str) -> None:
    """Training knew a column of categories; a request has only texts."""
    import lightgbm
    import mlflow.lightgbm

    rows, target = make_rows()
    rows["colour"] = pd.Series(np.where(rows["size"] > 0, "red", "blue")).astype("category")
    model = lightgbm.LGBMRegressor(n_estimators=5, verbose=-1).fit(rows, target)
    mlflow.lightgbm.save_model(model, path, **sign(rows, model.predict(rows)), **require(mlflow.lightgbm))


def spacy_categories(path: str) -> None:
    import mlflow.spacy
    import spacy

    spacy.util.fix_random_seed(7)
    model = spacy.blank("en")
    for label in ("up", "down"):
        (model.get_pipe("textcat") if model.has_pipe("textcat") else model.add_pipe("textcat")).add_label(label)
    model.initialize()
    mlflow.spacy.save_model(model, path, signature=infer_signature(TEXTS, None), **require(mlflow.spacy))


def pmdarima_arima(path: str) -> None:
    import mlflow.pmdarima
    from pmdarima.arima import ARIMA

    model = ARIMA(order=(1, 0, 0)).fit(np.sin(np.arange(60.0)))
    example = pd.DataFrame({"n_periods": [3]})
    mlflow.pmdarima.save_model(model, path, input_example=example, **require(mlflow.pmdarima))


def shap_explainer(path: str) -> None:
    import mlflow.shap
    import shap
    from sklearn.ensemble import RandomForestRegressor

    rows, target = make_rows()
    model = RandomForestRegressor(n_estimators=3, random_state=7).fit(rows, target)
    # Other explainers draw permutations of the features at random, so two answers to one request differ.
    explainer = shap.explainers.Exact(model.predict, shap.maskers.Independent(rows))
    mlflow.shap.save_explainer(explainer, path, serialize_model_using_mlflow=False, input_example=rows.head(2))


def imblearn_pipeline(path: str) -> None:
    import mlflow.sklearn
    from imblearn.over_sampling import RandomOverSampler
    from imblearn.pipeline import make_pipeline
    from sklearn.linear_model import LogisticRegression

    rows, target = make_rows()
    model = make_pipeline(RandomOverSampler(random_state=7), LogisticRegression()).fit(rows, (target > 1).astype(int))
    mlflow.sklearn.save_model(model, path, serialization_format="cloudpickle", **sign(rows, model.predict(rows)))


def category_encoders_pipeline(path: str) -> None:
    import mlflow.sklearn
    from category_encoders import TargetEncoder
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline

    rows, target = make_rows()
    rows["colour"] = np.where(rows["size"] > 0, "grün", "blau")
    model = make_pipeline(TargetEncoder(cols=["colour"]), Ridge()).fit(rows, target)
    mlflow.sklearn.save_model(model, path, serialization_format="cloudpickle", **sign(rows, model.predict(rows)))


def sklearn_texts(path: str) -> None:
    import mlflow.sklearn
    from sklearn.compose import make_column_transformer
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(make_column_transformer((TfidfVectorizer(), "text")), MultinomialNB()).fit(TEXTS, LABELS)
    mlflow.sklearn.save_model(model, path, **sign(TEXTS, model.predict(TEXTS)), **require(mlflow.sklearn))


def sklearn_many_outputs(path: str) -> None:
    import mlflow.sklearn
    from sklearn.ensemble import RandomForestClassifier

    rows, target = make_rows()
    targets = np.column_stack([target > 0, target > 1]).astype(int)
    model = RandomForestClassifier(n_estimators=3, random_state=7).fit(rows, targets)
    # In MLflow's default format (skops), it refuses to save trees.
    more = {"serialization_format": "cloudpickle", **require(mlflow.sklearn)}
    mlflow.sklearn.save_model(model, path, **sign(rows, model.predict(rows)), **more)


def sklearn_clusters(path: str) -> None:
    """Columns with whole numbers as names, as a frame made of an array has them; answers of int32."""
    import mlflow.sklearn
    from sklearn.cluster import KMeans

    rows = pd.DataFrame(make_rows()[0].to_numpy())
    model = KMeans(3, random_state=7, n_init=1).fit(rows.to_numpy())
    mlflow.sklearn.save_model(model, path, **sign(rows, model.predict(rows.to_numpy())), **require(mlflow.sklearn))


class ImageSize(PythonModel):
    """Reads pictures from bytes, as a column of type binary has them."""

    def predict(self, context, model_input, params=None):
        from PIL import Image

        images = [Image.open(io.BytesIO(data)) for data in model_input["image"]]
        return pd.DataFrame({"width": [i.width for i in images], "mean": [float(np.asarray(i).mean()) for i in images]})


def pillow_images(path: str) -> None:
    from PIL import Image

    written = io.BytesIO()
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(written, "PNG")
    example = pd.DataFrame({"image": [written.getvalue()]})
    answer = pd.DataFrame({"width": [4], "mean": [1.5]})
    pickle_here()
    save_model(
        path,
        python_model=ImageSize(),
        signature=infer_signature(example, answer),
        input_example=example,
        pip_requirements=["mlflow", "pillow", "pandas", "numpy"],
    )


class PolarsTotals(PythonModel):
    def predict(self, context, model_input, params=None):
        import polars as pl

        frame = pl.from_pandas(model_input).with_columns(
            (pl.col("a") * 2).alias("double"), pl.col("b").str.to_uppercase()
        )
        return frame.to_dicts()


def polars_frame(path: str) -> None:
    example = pd.DataFrame({"a": [1, 2], "b": ["x", "ü"]})
    pickle_here()
    save_model(
        path,
        python_model=PolarsTotals(),
        signature=ModelSignature(inputs=Schema([ColSpec("long", "a"), ColSpec("string", "b")])),
        input_example=example,
        pip_requirements=["mlflow", "polars", "pyarrow", "pandas"],
    )


class Search(PythonModel):
    """Answers with the best documents for each query, as lists of objects."""

    def load_context(self, context):
        from rank_bm25 import BM25Okapi

        with open(context.artifacts["documents"], encoding="utf-8") as file:
            self.documents = file.read().splitlines()
        self.index = BM25Okapi([line.split() for line in self.documents])

    def predict(self, context, model_input, params=None):
        count = int((params or {}).get("count", 2))
        answers = []
        for query in model_input["query"]:
            scores = self.index.get_scores(query.split())
            best = np.argsort(-scores, kind="stable")[:count]
            answers.append([{"text": self.documents[i], "score": float(scores[i])} for i in best])
        return answers


def bm25_search(path: str) -> None:
    import tempfile
    from pathlib import Path

    example = pd.DataFrame({"query": ["good flower", "night"]})
    answer = [[{"text": "x", "score": 0.5}]]
    pickle_here()
    with tempfile.TemporaryDirectory() as folder:
        documents = Path(folder, "documents.txt")
        documents.write_text("\n".join(TEXTS["text"].unique()), encoding="utf-8")
        save_model(
            path,
            python_model=Search(),
            artifacts={"documents": str(documents)},
            signature=infer_signature(example, answer, params={"count": 2}),
            input_example=(example, {"count": 1}),
            pip_requirements=["mlflow", "rank-bm25", "pandas", "numpy"],
        )


def networkx_graph(path: str) -> None:
    """A model from code, whose input is a list of objects with type hints."""
    from pathlib import Path

    save_model(
        path,
        python_model=str(Path(__file__).with_name("graph_from_code.py")),
        input_example=[{"start": "a", "edges": [["a", "b"], ["b", "c"]]}],
        pip_requirements=["mlflow", "networkx", "pydantic"],
    )


def pickle_here() -> None:
    """Puts the classes of this module into the pickle, as a notebook does."""
    import cloudpickle

    cloudpickle.register_pickle_by_value(__import__(__name__))
