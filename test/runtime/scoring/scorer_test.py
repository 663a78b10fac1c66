"""Tests of davit_server.scoring.scorer with models that this MLflow saves. Needs mlflow.

These are also what a cell of the table of Pythons and MLflows must pass (runtime/README.md).
"""

import json
import logging
import os
import tempfile
import unittest
import warnings
from unittest import mock

import mlflow.pyfunc
import numpy as np
import pandas as pd
from davit_server.scoring import mlflow_adapter
from davit_server.scoring.scorer import Scorer
from davit_server.signatures.signature import SignatureMismatch
from mlflow.models import ModelSignature
from mlflow.types.schema import Array, ColSpec, DataType, Object, ParamSchema, ParamSpec, Property, Schema, TensorSpec

warnings.simplefilter("ignore")
logging.getLogger("mlflow").setLevel(logging.CRITICAL)
SECRET = "hunter2"


class Sum(mlflow.pyfunc.PythonModel):
    """Adds up numbers, and is as strict as most libraries."""

    def predict(self, context, model_input, params=None):
        numbers = np.asarray(model_input, dtype="float64")
        if not numbers.size or not np.isfinite(numbers).all():
            raise ValueError(f"cannot use {numbers}")
        return numbers.sum(axis=1) * (params or {}).get("scale", 1.0)


class Letters(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [len(a.lower()) for a in model_input["a"]]


class Pictures(mlflow.pyfunc.PythonModel):
    """Knows one picture."""

    def predict(self, context, model_input, params=None):
        return [[b"picture"].index(a) for a in model_input["a"]]


class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [len(model_input)]


class Panic(BaseException):
    """As that of PyO3, which what is written in Rust raises."""


class Ending(mlflow.pyfunc.PythonModel):
    """Raises what ends a program."""

    def predict(self, context, model_input, params=None):
        raise SystemExit(1) if model_input["a"].iloc[0] > 0 else Panic(SECRET)


class Forking(mlflow.pyfunc.PythonModel):
    """Forks a process that ends as a program does, or returns to its caller. Answers its exit code."""

    def predict(self, context, model_input, params=None):
        child = os.fork()
        if not child and model_input["a"].iloc[0] > 0:
            raise SystemExit(3)
        return [os.WEXITSTATUS(os.waitpid(child, 0)[1])] if child else [-1]


class Renaming(mlflow.pyfunc.PythonModel):
    """Gives the columns a name, and answers whether they had one."""

    def predict(self, context, model_input, params=None):
        named, model_input.columns.name = model_input.columns.name, "columns"
        return [0 if named is None else 1]


class Words(mlflow.pyfunc.PythonModel):
    """Raises MLflow's exception with words for the client."""

    def predict(self, context, model_input, params=None):
        from mlflow.exceptions import MlflowException

        raise MlflowException.invalid_parameter_value("unknown customer")


class Gaps(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        rows = len(model_input)
        return pd.DataFrame(
            {"score": [float("nan")] * rows, "at": pd.to_datetime([None] * rows), "label": [None] * rows}
        )


def doubles(*names):
    return Schema([ColSpec(DataType.double, name) for name in names])


def save(model, inputs, outputs=None, params=None, example=None, nan="error"):
    folder = os.path.join(tempfile.mkdtemp(), "model")
    signature = ModelSignature(inputs, outputs or Schema([ColSpec(DataType.double)]), params)
    mlflow.pyfunc.save_model(
        folder, python_model=model, signature=signature, input_example=example, pip_requirements=["mlflow"]
    )
    with mock.patch.dict(os.environ):
        return Scorer(folder, nan)


class Case(unittest.TestCase):
    def setUp(self):
        quiet = mock.patch("davit_server.scoring.scorer.log")
        quiet.start()
        self.addCleanup(quiet.stop)

    def ask(self, scorer, body, kind="json"):
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, answer = scorer.answer(kind, sent, "")
        self.assertNotIn(SECRET, answer.decode())
        return status, json.loads(answer)

    def refused(self, scorer, body, part, kind="json"):
        with self.subTest(body=body):
            status, answer = self.ask(scorer, body, kind)
            self.assertEqual(status, 400, answer)
            self.assertIn(part, answer["message"])


class Ways(Case):
    def test_both_ways_give_the_same_answer(self):
        frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.5]})
        scorer = save(Sum(), doubles("a", "b"), example=frame)
        example = scorer.cases[0].body
        answer = scorer.predict("json", example)
        scorer.check(answer)
        scorer.verify_fast_path(example, answer)
        self.assertTrue(scorer.fast.usable)
        self.assertEqual(json.loads(answer), {"predictions": [4.0, 6.5]})
        self.assertEqual(self.ask(scorer, b"b,a\n1,2\n", "csv"), (200, {"predictions": [3.0]}))

    def test_parameters(self):
        scorer = save(Sum(), doubles("a"), params=ParamSchema([ParamSpec("scale", DataType.double, 2.0)]))
        body = {"dataframe_split": {"columns": ["a"], "data": [[3]]}}
        self.assertEqual(self.ask(scorer, body), (200, {"predictions": [6.0]}))
        self.assertEqual(self.ask(scorer, {**body, "params": {"scale": 3.0}}), (200, {"predictions": [9.0]}))
        self.refused(scorer, {**body, "params": {"scale": SECRET}}, "scale")
        self.refused(scorer, {**body, "params": {"scale": SECRET}}, "Invalid parameters")
        self.refused(scorer, {**body, "params": SECRET}, "must be a dictionary")

    def test_columns_with_integers_for_names(self):
        scorer = save(Sum(), doubles(0, 1), example=pd.DataFrame([[1.0, 2.0]]))
        example = scorer.cases[0].body
        scorer.verify_fast_path(example, scorer.predict("json", example))
        for _ in range(2):
            self.assertEqual(self.ask(scorer, {"dataframe_split": {"data": [[1, 2]]}}), (200, {"predictions": [3.0]}))
            self.refused(scorer, {"dataframe_records": [{"0": 1, "1": 2}]}, "missing inputs [0, 1]")
            scorer.fast.usable = False


class ModelFaults(Case):
    def test_what_would_end_a_program_is_an_error_of_the_model_like_any_other(self):
        scorer = save(Ending(), doubles("a"))
        for number, kind in ((1, "SystemExit"), (0, "Panic")):
            status, answer = self.ask(scorer, {"dataframe_split": {"columns": ["a"], "data": [[number]]}})
            self.assertEqual((status, answer["error_code"]), (500, "INTERNAL_ERROR"))
            self.assertIn(f"The model raised {kind}", answer["message"])


class Processes(Case):
    def test_a_process_that_a_prediction_forks_never_answers_a_request(self):
        scorer = save(Forking(), doubles("a"))
        for number, code in ((1, 3), (0, 0)):
            body = {"dataframe_split": {"columns": ["a"], "data": [[number]]}}
            self.assertEqual(self.ask(scorer, body), (200, {"predictions": [code]}))


class Requests(Case):
    def test_a_model_that_changes_the_columns_changes_those_of_its_request_only(self):
        scorer = save(Renaming(), doubles("a", "b"), example=pd.DataFrame({"a": [1.0], "b": [2.0]}))
        example = scorer.cases[0].body
        scorer.verify_fast_path(example, scorer.predict("json", example))
        self.assertTrue(scorer.fast.usable)
        for _ in range(2):
            self.assertEqual(scorer.predict("json", example), '{"predictions": [0]}')

    def test_both_ways_lay_out_numbers_alike_because_sums_depend_on_their_order(self):
        frame = pd.DataFrame({name: [1.0, 2.0, 3.0] for name in "ab"})
        scorer, seen = save(Sum(), doubles("a", "b"), example=frame), []
        body = {"dataframe_split": {"columns": ["a", "b"], "data": frame.to_numpy().tolist()}}
        with mock.patch.object(
            Sum, "predict", lambda self, context, model_input, params=None: seen.append(model_input)
        ):
            scorer.model.predict(scorer.read("json", b"", body)[0])
        seen.append(scorer.fast.make_frame(body))
        one, other = (frame.to_numpy().flags for frame in seen)
        self.assertEqual((one.f_contiguous, one.c_contiguous), (other.f_contiguous, other.c_contiguous))


class ClientFaults(Case):
    def test_no_rows(self):
        scorer = save(Sum(), doubles("a"))
        scorer.fast.usable = True
        for body in [
            {"dataframe_split": {"columns": ["a"], "data": []}},
            {"dataframe_records": []},
            {"instances": []},
            {"inputs": []},
            {"inputs": {"a": []}},
            {"inputs": {}},
        ]:
            self.refused(scorer, body, "")
        self.refused(scorer, b"a\n", "", "csv")
        self.refused(scorer, b"", "", "csv")
        self.refused(save(Sum(), Schema([TensorSpec(np.dtype("float64"), (-1, 2))])), {"inputs": []}, "")

    def test_a_model_may_take_no_rows(self):
        body = {"dataframe_split": {"columns": ["a"], "data": []}}
        self.assertEqual(self.ask(save(Echo(), doubles("a")), body), (200, {"predictions": [0]}))

    def test_nulls_and_infinities_where_the_model_raises(self):
        scorer = save(Sum(), doubles("a"), params=ParamSchema([ParamSpec("scale", DataType.double, 2.0)]))
        self.refused(scorer, {"dataframe_records": [{"a": 1}, {"a": None}]}, 'column "a" is null in row 1')
        self.refused(scorer, b'{"dataframe_records": [{"a": 1e999}]}', 'column "a" is infinite in row 0')
        body = {"dataframe_records": [{"a": 1}], "params": {"scale": None}}
        self.refused(scorer, body, 'the parameter "scale" is null')

    def test_types_that_mlflow_does_not_check_where_the_model_raises(self):
        scorer = save(Letters(), Schema([ColSpec(DataType.string, "a"), ColSpec(DataType.string, "b", required=False)]))
        self.assertEqual(self.ask(scorer, {"dataframe_records": [{"a": "x", "b": None}]})[0], 200)
        for value, noun in [
            (5, "a number"),
            (1.5, "a number"),
            (True, "a boolean"),
            ([1], "a list"),
            ({}, "an object"),
        ]:
            body = {"dataframe_records": [{"a": "x", "b": None}, {"a": value, "b": "y"}]}
            self.refused(scorer, body, f'column "a" is {noun} in row 1, expected a string.')
        self.refused(scorer, {"inputs": {"a": [["x"], ["y"]]}}, 'column "a" is a list in row 0')
        pictures, sent = save(Pictures(), Schema([ColSpec(DataType.binary, "a")])), "cGljdHVyZQ=="
        self.assertEqual(self.ask(pictures, {"dataframe_records": [{"a": sent}]}), (200, {"predictions": [0]}))
        part = 'column "a" is not decoded from base64 in this form, expected dataframe_split or dataframe_records.'
        self.refused(pictures, {"inputs": {"a": [sent]}}, part)
        self.refused(pictures, {"instances": [{"a": sent}]}, part)
        self.refused(pictures, f"a\n{sent}\n".encode(), part, "csv")
        status, answer = self.ask(pictures, {"dataframe_records": [{"a": "YQ=="}]})
        self.assertEqual((status, answer["message"]), (500, "The model raised ValueError. The log has the rest."))

    def test_what_the_model_raises_on_good_input_is_its_own_fault(self):
        status, answer = self.ask(save(Sum(), Schema([ColSpec(DataType.string, "a")])), {"inputs": {"a": [SECRET]}})
        self.assertEqual((status, answer["message"]), (500, "The model raised ValueError. The log has the rest."))

    def test_what_cannot_be_explained_is_the_models_fault_too(self):
        folder = os.path.join(tempfile.mkdtemp(), "model")
        mlflow.pyfunc.save_model(folder, python_model=Sum(), pip_requirements=["mlflow"])
        scorer = Scorer(folder, "error")
        failed = (500, "The model raised TypeError. The log has the rest.")
        for value in (1, "text", None, True):
            status, answer = self.ask(scorer, {"inputs": {"a": value}})
            self.assertEqual((status, answer["message"]), failed)
        with mock.patch("davit_server.scoring.scorer.find_input_fault", side_effect=MemoryError):
            status, answer = self.ask(scorer, {"inputs": {"a": [1]}})
        self.assertEqual((status, answer["message"]), failed)

    def test_the_models_own_words_are_kept(self):
        self.refused(save(Words(), doubles("a")), {"inputs": {"a": [1.5]}}, "unknown customer")

    def test_reasons_without_data(self):
        person = Object([Property("name", DataType.string), Property("age", DataType.long, required=False)])
        scorer = save(
            Echo(),
            Schema(
                [
                    ColSpec(DataType.long, "n"),
                    ColSpec(DataType.datetime, "when", required=False),
                    ColSpec(person, "user", required=False),
                    ColSpec(Array(DataType.long), "tags", required=False),
                ]
            ),
        )
        for record, *parts in [
            ({"n": SECRET}, "column n to type 'int64'"),
            ({}, "missing inputs ['n']"),
            ({"m": SECRET}, "missing inputs ['n']", "extra inputs: ['m']"),
            ({"n": 1, "when": SECRET}, "column when to type 'datetime64[ns]'"),
            ({"n": 1, "user": {"age": 1}}, "user", "Missing required properties: {'name'}"),
            ({"n": 1, "user": {"name": "a", "more": SECRET}}, "user", "Invalid properties", "{'more'}"),
            ({"n": 1, "user": {"name": "a", "age": SECRET}}, "user", "`age`", "Expected type long"),
            (
                {"n": 1, "user": f"' with type {SECRET} Expected data to be {SECRET}"},
                "user",
                "to be dictionary, got str",
            ),
            ({"n": 1, "tags": SECRET}, "tags", "list or numpy array, got str"),
            ({"n": 1, "tags": [f"` with dtype `{SECRET}"]}, "tags"),
        ]:
            for part in parts:
                self.refused(scorer, {"dataframe_records": [record]}, part)
        self.refused(scorer, {"inputs": {"n": [SECRET]}}, 'Column "n": Expected long')
        self.refused(scorer, {"dataframe_split": {"columns": ["n"], "data": [[1, 2]]}}, "1 columns passed")
        self.refused(scorer, f"n\n{SECRET}\n".encode(), 'Column "user" has nested values', "csv")
        flat = save(Echo(), Schema([ColSpec(DataType.long, "n")]))
        self.refused(flat, f"n\n{SECRET}\n".encode(), 'column "n" to type int64', "csv")
        self.refused(scorer, {"dataframe_split": {"data": [[SECRET]]}, "index": 1}, "missing inputs ['n']")

    def test_a_date_with_a_time_zone_names_its_column(self):
        scorer = save(Echo(), Schema([ColSpec(DataType.datetime, "when")]))
        status, answer = self.ask(scorer, {"dataframe_records": [{"when": "2024-03-01T10:00:00Z"}]})
        if status != 200:  # MLflow before 2.15 takes it
            self.assertRegex(answer["message"], '(?i)column "?when"?.*datetime')


class Outputs(Case):
    def test_missing_values_become_null_when_told(self):
        optional = Schema(
            [
                ColSpec(DataType.double, "score", required=False),
                ColSpec(DataType.datetime, "at", required=False),
                ColSpec(DataType.string, "label", required=False),
            ]
        )
        scorer = save(Gaps(), doubles("a"), optional, nan="null")
        answer = scorer.predict("json", b'{"inputs": {"a": [1.5]}}')
        scorer.check(answer)
        self.assertEqual(json.loads(answer), {"predictions": [{"score": None, "at": None, "label": None}]})
        status, told = self.ask(save(Gaps(), doubles("a"), optional), {"inputs": {"a": [1.5]}})
        self.assertEqual((status, told["error_code"]), (500, "INVALID_OUTPUT"))

    def test_predict_proba_under_the_signature_of_predict(self):
        scorer = save(Echo(), doubles("a"), Schema([TensorSpec(np.dtype("int64"), (-1,))]))
        scorer.metadata.flavors["python_function"]["predict_fn"] = "predict_proba"
        with self.assertRaisesRegex(
            SignatureMismatch, r'"predict_proba".*infer_signature\(X, model.predict_proba\(X\)\)'
        ):
            scorer.check('{"predictions": [[0.1, 0.9]]}')
        scorer.check('{"predictions": [1]}')

    @unittest.skipUnless(hasattr(mlflow.pyfunc, "ChatModel"), "chat models came with MLflow 2.11")
    def test_a_chat_models_answer_may_have_more(self):
        scorer = save(Echo(), doubles("a"), Schema([ColSpec(DataType.string, "a")]))
        self.assertFalse(scorer.leniency.open_objects)
        for task, expected in [("agent/v1/responses", True), ("llm/v1/chat", True), ("classification", False)]:
            scorer.metadata.metadata = {"task": task}
            self.assertEqual(mlflow_adapter.is_signature_of_mlflow(scorer.model), expected)


if __name__ == "__main__":
    unittest.main()
