"""One small model for each library, saved with MLflow's flavor for it. Each function imports its own library."""

from __future__ import annotations

import numpy as np
import pandas as pd


def make_rows(count: int = 60) -> tuple[pd.DataFrame, np.ndarray]:
    """Returns a table of doubles, and a target that depends on it."""
    random = np.random.default_rng(7)
    rows = pd.DataFrame({"size": random.normal(size=count), "weight": random.normal(size=count)})
    return rows, (2 * rows["size"] - rows["weight"]).to_numpy()


def sign(rows, answers):
    from mlflow.models import infer_signature

    return {"signature": infer_signature(rows, answers), "input_example": rows.head(3)}


def require(flavor) -> dict:
    """Returns the flavor's requirements. To infer them, MLflow loads the model in a new process."""
    return {"pip_requirements": flavor.get_default_pip_requirements()}


def lightgbm_classifier(path: str) -> None:
    import lightgbm
    import mlflow.lightgbm

    rows, target = make_rows()
    model = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(rows, target > 0)
    mlflow.lightgbm.save_model(model, path, **sign(rows, model.predict(rows)), **require(mlflow.lightgbm))


def lightgbm_booster(path: str) -> None:
    import lightgbm
    import mlflow.lightgbm

    rows, target = make_rows()
    model = lightgbm.train({"verbose": -1}, lightgbm.Dataset(rows, target), 5)
    mlflow.lightgbm.save_model(model, path, **sign(rows, model.predict(rows)), **require(mlflow.lightgbm))


def catboost_regressor(path: str) -> None:
    import catboost
    import mlflow.catboost

    rows, target = make_rows()
    model = catboost.CatBoostRegressor(iterations=5, verbose=False, allow_writing_files=False).fit(rows, target)
    mlflow.catboost.save_model(model, path, **sign(rows, model.predict(rows)), **require(mlflow.catboost))


def statsmodels_ols(path: str) -> None:
    import mlflow.statsmodels
    import statsmodels.api as sm

    rows, target = make_rows()
    model = sm.OLS(target, rows).fit()
    mlflow.statsmodels.save_model(model, path, **sign(rows, model.predict(rows)), **require(mlflow.statsmodels))


def prophet_forecast(path: str) -> None:
    import mlflow.prophet
    from prophet import Prophet

    days = pd.DataFrame({"ds": pd.date_range("2026-01-01", periods=60, freq="D"), "y": np.arange(60.0) % 7})
    model = Prophet(uncertainty_samples=0).fit(days)
    rows = days[["ds"]]
    mlflow.prophet.save_model(model, path, **sign(rows, model.predict(rows)), **require(mlflow.prophet))


def onnx_linear(path: str) -> None:
    import mlflow.onnx
    import onnx
    from mlflow.models import infer_signature
    from onnx import TensorProto, helper

    weights = helper.make_tensor("weights", TensorProto.FLOAT, [2, 1], [2.0, -1.0])
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["rows", "weights"], ["answer"])],
        "linear",
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, [None, 1])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    rows = np.array([[1, 2], [3, 4]], dtype=np.float32)
    signature = infer_signature(rows, {"answer": np.zeros((2, 1), dtype=np.float32)})
    mlflow.onnx.save_model(model, path, signature=signature, input_example=rows, **require(mlflow.onnx))


def sklearn_probabilities(path: str) -> None:
    import mlflow.sklearn
    from sklearn.linear_model import LogisticRegression

    rows, target = make_rows()
    model = LogisticRegression().fit(rows, np.where(target > 0, "up", "down"))
    mlflow.sklearn.save_model(
        model,
        path,
        pyfunc_predict_fn="predict_proba",
        **sign(rows, model.predict_proba(rows)),
        **require(mlflow.sklearn),
    )


def sklearn_no_signature(path: str) -> None:
    import mlflow.sklearn
    from sklearn.linear_model import LinearRegression

    rows, target = make_rows()
    mlflow.sklearn.save_model(LinearRegression().fit(rows, target), path, **require(mlflow.sklearn))


def sklearn_columns(path: str) -> None:
    """A pipeline on a table of texts, integers, booleans and missing values."""
    import mlflow.sklearn
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    rows, target = make_rows()
    rows["colour"] = np.where(rows["size"] > 0, "grün", "blau")
    rows["rooms"] = np.arange(len(rows)) % 5
    rows["is_new"] = rows["weight"] > 0
    rows.loc[::7, "weight"] = np.nan
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["colour"]),
        (SimpleImputer(), ["size", "weight", "rooms", "is_new"]),
    )
    model = make_pipeline(encode, LinearRegression()).fit(rows, target)
    mlflow.sklearn.save_model(model, path, serialization_format="cloudpickle", **sign(rows, model.predict(rows)))


def torch_linear(path: str) -> None:
    import mlflow.pytorch
    import torch
    from mlflow.models import infer_signature

    torch.manual_seed(7)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
    rows = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32)
    answers = model(torch.from_numpy(rows)).detach().numpy()
    mlflow.pytorch.save_model(
        model, path, signature=infer_signature(rows, answers), input_example=rows, **require(mlflow.pytorch)
    )


def transformers_text(path: str) -> None:
    """A text classifier with random weights and a vocabulary of a few words, made without a download."""
    import mlflow.transformers
    import torch
    from mlflow.models import infer_signature
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast, pipeline

    torch.manual_seed(7)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "flower"]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]")
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    model = BertForSequenceClassification(BertConfig(vocab_size=len(words), max_position_embeddings=32, **sizes)).eval()
    texts = pipeline("text-classification", model=model, tokenizer=wrapped)
    example = ["good flower", "bad flower"]
    requirements = mlflow.transformers.get_default_pip_requirements(model)
    signature = infer_signature(example, [{"label": "LABEL_0", "score": 0.5}])
    mlflow.transformers.save_model(
        texts, path, signature=signature, input_example=example, pip_requirements=requirements
    )
