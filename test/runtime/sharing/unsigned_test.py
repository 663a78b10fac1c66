"""Tests of models without a signature or an example, with models that this MLflow saves. Needs mlflow."""

import json
import logging
import os
import tempfile
import unittest
import warnings
from unittest import mock

import mlflow.pyfunc
import numpy as np
from davit_server.failures.stages import Stages
from davit_server.files.own_folder import MODEL
from davit_server.protocol.wire import ONE
from davit_server.scoring.scorer import Scorer
from davit_server.sharing.predict_cases import explain_missing_prediction, name_case, predict_cases
from davit_server.sharing.worker_mode import WorkerMode
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, DataType, Schema, TensorSpec

warnings.simplefilter("ignore")
logging.getLogger("mlflow").setLevel(logging.CRITICAL)


class Kind(mlflow.pyfunc.PythonModel):
    """Answers with the type of its input."""

    def predict(self, context, model_input, params=None):
        return [type(model_input).__name__, params]


class Sum(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return np.asarray(model_input, dtype="float64").sum(axis=1)


class Strict(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        raise ValueError("unknown category")


def save(model, inputs=None, cases=""):
    folder = os.path.join(tempfile.mkdtemp(), "model")
    signature = inputs and ModelSignature(inputs)
    mlflow.pyfunc.save_model(folder, python_model=model, signature=signature, pip_requirements=["mlflow"])
    with mock.patch.dict(os.environ):
        return Scorer(folder, cases=cases)


def rehearse(scorer):
    """Returns the first prediction, or the exception, and the records of the cases."""
    folder, records = tempfile.mkdtemp(), []
    os.mkdir(os.path.join(folder, MODEL))
    try:
        return predict_cases(scorer, Stages(), WorkerMode(ONE, folder), records), records
    except Exception as error:
        return error, records


def make_cases(*cases):
    return json.dumps([{"name": f"case {i}", "content_type": "json", **case} for i, case in enumerate(cases)])


class WithoutSignature(unittest.TestCase):
    def test_the_model_gets_what_mlflows_server_would_pass(self):
        scorer = save(Kind())
        for body, kind in [
            ({"dataframe_split": {"columns": ["a"], "data": [[1]]}}, "DataFrame"),
            ({"dataframe_records": [{"a": 1}]}, "DataFrame"),
            ({"instances": [[1, 2], [3, 4]]}, "ndarray"),
            ({"instances": [{"a": 1}, {"a": 2}]}, "dict"),
            ({"inputs": [[1, 2], [3, 4]]}, "ndarray"),
            ({"inputs": {"a": [1, 2]}}, "dict"),
            ({"inputs": [{"a": 1}]}, "list"),
            ({"inputs": "text"}, "ndarray"),
        ]:
            with self.subTest(body=body):
                status, answer = scorer.answer("json", json.dumps(body).encode(), "")
                self.assertEqual((status, json.loads(answer)), (200, {"predictions": [kind, None]}))
        self.assertEqual(json.loads(scorer.predict("csv", b"a,b\n1,x\n"))["predictions"][0], "DataFrame")

    def test_nothing_is_predicted_before_it_serves(self):
        prediction, records = rehearse(save(Kind()))
        self.assertEqual((prediction, records), (None, []))
        self.assertEqual(explain_missing_prediction(records), "the model has no input example")


class MadeInput(unittest.TestCase):
    def test_it_is_predicted_where_the_model_takes_it(self):
        for inputs in (
            Schema([ColSpec(DataType.double, "a"), ColSpec(DataType.long, "b")]),
            Schema([TensorSpec(np.dtype("float64"), (-1, 2))]),
        ):
            scorer = save(Sum(), inputs)
            prediction, records = rehearse(scorer)
            self.assertEqual(json.loads(prediction.answer), {"predictions": [2.0]})
            self.assertEqual([(each["origin"], each["why"]) for each in records], [("signature", None)])

    def test_a_model_that_refuses_it_serves(self):
        scorer = save(Strict(), Schema([ColSpec(DataType.string, "a")]))
        prediction, records = rehearse(scorer)
        self.assertIsNone(prediction)
        self.assertEqual(scorer.cases, [])
        self.assertRegex(explain_missing_prediction(records), "made from its signature.*ValueError: unknown category")


class ValidationCases(unittest.TestCase):
    def test_they_replace_the_example_and_are_compared(self):
        good = {"input": '{"inputs": [[1, 2]]}', "expect": [3]}
        table = {"input": "a,b\n1,2\n", "content_type": "csv"}
        prediction, records = rehearse(save(Sum(), cases=make_cases(good, table)))
        self.assertEqual(json.loads(prediction.answer), {"predictions": [3.0]})
        self.assertEqual([(each["name"], each["why"]) for each in records], [("case 0", None), ("case 1", None)])

    def test_a_failure_names_its_case(self):
        for case, why in [
            ({"input": '{"inputs": [[1, 2]]}', "expect": [4]}, r"predictions\[0\]: expected 4, found 3.0"),
            ({"input": '{"inputs": ["x"]}'}, "ValueError"),
            ({"input": "{}"}, "no key for the input"),
        ]:
            error, records = rehearse(save(Sum(), cases=make_cases(case)))
            self.assertIsInstance(error, Exception)
            message = name_case({"message": records[-1]["why"]}, records)["message"]
            self.assertRegex(message, f'In the validation case "case 0": .*{why}')


if __name__ == "__main__":
    unittest.main()
