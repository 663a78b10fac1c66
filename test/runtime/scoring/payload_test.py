"""Tests of davit_server.scoring.payload and fast_frame: bodies to what the model gets. Needs mlflow and pandas."""

import json
import math
import unittest
from types import SimpleNamespace

import numpy as np
import pandas as pd
from davit_server.scoring.example import make_serving_form, replace_nan
from davit_server.scoring.fast_frame import FastFrame
from davit_server.scoring.payload import parse_csv, parse_object, parse_payload
from davit_server.scoring.refused import Refused
from davit_server.scoring.strict_json import InvalidOutput, write_strictly
from mlflow.exceptions import MlflowException
from mlflow.types.schema import Array, ColSpec, DataType, Object, ParamSchema, ParamSpec, Property, Schema

SCHEMA = Schema(
    [
        ColSpec(DataType.long, "n"),
        ColSpec(DataType.string, "code"),
        ColSpec(DataType.datetime, "day"),
        ColSpec(DataType.double, "x", required=False),
    ]
)


def metadata(schema=None, params=None, hinted=False):
    return SimpleNamespace(
        get_input_schema=lambda: schema,
        get_params_schema=lambda: params,
        _is_signature_from_type_hint=lambda: hinted,
        _is_type_hint_from_example=lambda: False,
    )


class ParseObject(unittest.TestCase):
    def test_refuses_what_is_not_a_json_object(self):
        for body, part in [
            (b"", "not valid JSON"),
            (b'{"a": NaN}', "NaN is not JSON"),
            (b'{"a": -Infinity}', "-Infinity is not JSON"),
            (b"\xff", "not UTF-8"),
            (b"[1]", "The body is a list, expected"),
            (b"null", "The body is null, expected"),
            (b"[" * 200_000, "nested too deeply"),
        ]:
            with self.subTest(body=body[:20]), self.assertRaises(Refused) as caught:
                parse_object(body)
            self.assertEqual((caught.exception.status, caught.exception.code), (400, "BAD_REQUEST"))
            self.assertIn(part, str(caught.exception))


class Encodings(unittest.TestCase):
    def test_json_is_read_in_the_encodings_that_mlflow_reads(self):
        text = '{"inputs": ["ä"]}'
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"):
            with self.subTest(encoding=encoding):
                self.assertEqual(parse_object(text.encode(encoding)), json.loads(text.encode(encoding)))
                self.assertEqual(parse_object(text.encode(encoding)), {"inputs": ["ä"]})

    def test_a_mark_before_a_table_is_no_part_of_the_first_name(self):
        self.assertEqual(list(parse_csv(b"\xef\xbb\xbfn,code\n1,a\n", SCHEMA).columns), ["n", "code"])


class ParsePayload(unittest.TestCase):
    def test_llm_form_takes_known_parameters_out(self):
        params = ParamSchema([ParamSpec("temperature", DataType.double, 0.5)])
        data, found = parse_payload({"messages": [], "temperature": 1, "other": 2}, metadata(params=params), None)
        self.assertEqual((data, found), ({"messages": [], "other": 2}, {"temperature": 1}))

    def test_type_hints_take_inputs_as_they_are(self):
        self.assertEqual(parse_payload({"inputs": [1], "params": {}}, metadata(hinted=True), None), ([1], {}))
        with self.assertRaises(Refused):
            parse_payload({"instances": [1]}, metadata(hinted=True), None)

    def test_two_forms_are_refused(self):
        with self.assertRaises(Refused) as caught:
            parse_payload({"inputs": 1, "instances": 1}, metadata(), None)
        self.assertIn("The body has instances and inputs, expected", str(caught.exception))

    def test_a_second_form_is_refused_though_it_is_null(self):
        for payload in ({"inputs": [1], "instances": None}, {"dataframe_split": {"data": [[1]]}, "inputs": None}):
            with self.assertRaises(Refused):
                parse_payload(payload, metadata(), None)

    def test_what_cannot_be_read_is_the_clients_fault(self):
        for payload in [
            {"dataframe_split": {"columns": {"a": 1}, "data": [[1]]}},
            {"dataframe_split": {"columns": [[], {}], "data": [[1]]}},
            {"dataframe_split": {"columns": ["n", "n"], "data": [[1, 2]]}},
            {"dataframe_split": []},
            {"dataframe_split": {"data": {"n": {"a": 1}, "code": 5}}},
            {"dataframe_records": [1, [2], {"n": 3}, None]},
            {"dataframe_records": {"n": 1}},
            {"instances": [{"n": [1]}, {"n": {"a": 1}}]},
            {"inputs": {"n": [[1], [[2]]]}},
        ]:
            with self.subTest(payload=payload), self.assertRaises((Refused, MlflowException)) as caught:
                parse_payload(payload, metadata(SCHEMA), SCHEMA)
                raise Refused(400, "", "")  # read after all: the model's signature is looked at later
            error = caught.exception
            self.assertEqual(error.status if isinstance(error, Refused) else error.get_http_status_code(), 400)


class ParseCsv(unittest.TestCase):
    def test_columns_get_the_types_of_the_signature(self):
        frame = parse_csv(b"code,n,day,x\n007,1,2026-11-22,\n008,2,2026-11-23,1.5\n", SCHEMA)
        self.assertEqual(list(frame["code"]), ["007", "008"])
        self.assertEqual(str(frame["n"].dtype), "int64")
        self.assertEqual(str(frame["day"].dtype)[:10], "datetime64")
        self.assertTrue(np.isnan(frame["x"].iloc[0]))

    def test_columns_without_names_get_the_types_by_place(self):
        unnamed = Schema([ColSpec("string"), ColSpec("double"), ColSpec("datetime")])
        frame = parse_csv(b"a,b,c\n007,1,2026-11-22\n", unnamed)
        self.assertEqual(frame["a"].iloc[0], "007")
        self.assertEqual([str(kind)[:10] for kind in frame.dtypes[1:]], ["float64", "datetime64"])
        self.assertEqual(list(parse_csv(b"a\n1\n", unnamed)["a"]), ["1"])
        with self.assertRaisesRegex(Refused, 'column "b" to type float64'):
            parse_csv(b"a,b\n1,secret\n", unnamed)

    def test_nested_columns_are_refused(self):
        point = Object([Property("x", DataType.double)])
        for nested in (
            Schema([ColSpec("long", "n"), ColSpec(Array(DataType.string), "tags")]),
            Schema([ColSpec(point)]),
        ):
            with self.assertRaisesRegex(Refused, "nested values in the signature, which CSV cannot have: send JSON"):
                parse_csv(b"n,tags\n1,2\n", nested)

    def test_a_value_that_does_not_fit_is_refused_and_not_repeated(self):
        with self.assertRaises(Refused) as caught:
            parse_csv(b"n\nsecret\n", SCHEMA)
        self.assertEqual(caught.exception.status, 400)
        self.assertNotIn("secret", str(caught.exception))

    def test_without_a_signature_pandas_decides(self):
        self.assertEqual(parse_csv(b"a\n1\n", None)["a"].iloc[0], 1)


class Fast(unittest.TestCase):
    schema = Schema([ColSpec(DataType.double, "x"), ColSpec(DataType.string, "s"), ColSpec(DataType.boolean, "b")])

    def make(self, payload):
        model = SimpleNamespace(metadata=metadata(self.schema), _predict_fn=lambda frame: frame)
        return FastFrame(model).make_frame(payload)

    def test_makes_what_mlflow_makes(self):
        rows = {"dataframe_split": {"columns": ["b", "x", "s"], "data": [[True, 1, "a"], [False, 2.5, "b"]]}}
        records = {"dataframe_records": [{"b": True, "x": 1, "s": "a"}, {"s": "b", "b": False, "x": 2.5}]}
        for payload in (rows, records):
            slow, _ = parse_payload(payload, metadata(self.schema), self.schema)
            pd.testing.assert_frame_equal(self.make(payload), slow[["x", "s", "b"]])

    def test_integer_names_are_the_places_of_columns(self):
        schema = Schema([ColSpec(DataType.double, 0), ColSpec(DataType.double, 1)])
        model = SimpleNamespace(metadata=metadata(schema), _predict_fn=lambda frame: frame)
        for split in (
            {"data": [[1.5, 2.0]]},
            {"columns": [0, 1], "data": [[1.5, 2.0]]},
            {"columns": [1, 0], "data": [[2, 1.5]]},
        ):
            frame = FastFrame(model).make_frame({"dataframe_split": split})
            slow, _ = parse_payload({"dataframe_split": split}, metadata(schema), schema)
            pd.testing.assert_frame_equal(frame, slow[[0, 1]], check_column_type=False)
        self.assertIsNone(FastFrame(model).make_frame({"dataframe_split": {"columns": ["0", "1"], "data": [[1, 2]]}}))

    def test_leaves_everything_unusual_to_mlflow(self):
        full = {"x": 1, "s": "a", "b": True}
        for payload in [
            {"inputs": full},
            {"dataframe_records": []},
            {"dataframe_records": [{**full, "more": 1}]},
            {"dataframe_records": [{"x": 1}]},
            {"dataframe_records": [{**full, "s": 1}]},
            {"dataframe_records": [{**full, "b": 1}]},
            {"dataframe_records": [{**full, "x": "one"}]},
            {"dataframe_split": {"columns": ["x", "s", "b"], "index": [1], "data": [[1, "a", True]]}},
            {"dataframe_split": {"columns": ["x", "s", "b"], "data": [[1, "a"]]}},
            {"dataframe_split": {"columns": ["x", "s", 1], "data": [[1, "a", True]]}},
            {"dataframe_split": {"data": [[1, "a", True]]}},
            {"dataframe_records": [full], "dataframe_split": None},
            {"dataframe_records": [full], "inputs": None},
            {"dataframe_records": [full], "params": {}},
            {"dataframe_split": {"columns": ["x", "s", "b"], "data": [["1", "a", True]]}},
        ]:
            with self.subTest(payload=payload):
                self.assertIsNone(self.make(payload))


class Answers(unittest.TestCase):
    def test_nan_is_an_error_or_null(self):
        value = {"predictions": [float("nan"), 1.5, float("-inf")]}
        self.assertEqual(
            json.loads(write_strictly(value, json.JSONEncoder, "null")), {"predictions": [None, 1.5, None]}
        )
        with self.assertRaisesRegex(InvalidOutput, r"JSON: predictions\[0\] is NaN$"):
            write_strictly(value, json.JSONEncoder, "error")

    def test_what_json_cannot_carry_is_an_error(self):
        loop = []
        loop.append(loop)
        for value in ({1, 2}, object(), loop):
            with self.assertRaises(InvalidOutput):
                write_strictly(value, json.JSONEncoder, "null")

    def test_the_place_of_a_value_that_json_cannot_have_is_named(self):
        loop = {}
        loop["again"] = [loop]
        key = "k" * 100
        for value, found in [
            ([{"score": 1.5}, {"score": -math.inf}], r"predictions\[1\]\.score is -Infinity"),
            ({"a": [1, (2, {3})]}, r"predictions\.a\[1\]\[1\] is of type set"),
            ([{("x", "y"): 1}], r"predictions\[0\] has a key of type tuple"),
            (loop, r"predictions\.again\[0\] contains itself"),
            ({key: b"text"}, rf"predictions\.{key[:60]}… is of type bytes"),
            ([1, 2, object()], r"predictions\[2\] is of type object"),
        ]:
            with self.subTest(found=found), self.assertRaisesRegex(InvalidOutput, f"JSON: {found}$"):
                write_strictly({"predictions": value}, json.JSONEncoder, "error")
        with self.assertRaisesRegex(InvalidOutput, "JSON: it is of type set$"):
            write_strictly({1}, json.JSONEncoder, "error")


class Example(unittest.TestCase):
    def test_missing_numbers_of_an_example_become_null(self):
        body = b'{"dataframe_split": {"columns": ["i"], "data": [[1.0], [NaN]]}}'
        self.assertEqual(json.loads(replace_nan(body))["dataframe_split"]["data"], [[1.0], [None]])
        for kept in (b'{"inputs": [1.5]}', b'{"inputs": ["NaN"]}'):
            self.assertEqual(replace_nan(kept), kept)

    def test_old_models_examples_become_requests(self):
        split = {"columns": ["a"], "data": [[1]]}
        for example, saved, expected in [
            (split, {"type": "dataframe", "pandas_orient": "split"}, {"dataframe_split": split}),
            ({"inputs": [1]}, {"type": "ndarray", "format": "tf-serving"}, {"inputs": [1]}),
            ({"messages": []}, {"type": "json_object"}, {"messages": []}),
            ({"data": [[1]]}, {"type": "dataframe", "pandas_orient": "values"}, {"dataframe_split": {"data": [[1]]}}),
            ([1, 2], {"type": "json_object"}, {"inputs": [1, 2]}),
        ]:
            self.assertEqual(make_serving_form(example, saved), expected)


if __name__ == "__main__":
    unittest.main()
