"""Tests of what a model predicts before it serves: inputs from signatures, expected answers. Standard library only."""

import json
import unittest

from davit_server.scoring.compare_answer import UnexpectedAnswer, check_expected
from davit_server.scoring.made_input import make_input


def make(columns, type_hints=False):
    body = make_input(columns, type_hints)
    return None if body is None else json.loads(body)


def column(kind, name=None, **more):
    return {"type": kind, **({} if name is None else {"name": name}), **more}


def tensor(dtype, shape, name=None):
    return column("tensor", name, **{"tensor-spec": {"dtype": dtype, "shape": shape}})


class MadeInputs(unittest.TestCase):
    def test_every_kind_of_column(self):
        scalars = [column(kind, kind) for kind in ("boolean", "integer", "double", "string", "binary", "datetime")]
        items = column("array", "items", items=column("long"))
        nested = column("object", "nested", properties={"a": column("map", values=items)})
        made = make([*scalars, items, nested])["dataframe_split"]
        self.assertEqual(made["columns"], [each["name"] for each in [*scalars, items, nested]])
        row = [True, 1, 1.0, "a", "AA==", "2020-01-01T00:00:00", [1], {"a": {"a": [1]}}]
        self.assertEqual(made["data"], [row])

    def test_columns_without_names(self):
        self.assertEqual(make([column("double"), column("double")]), {"dataframe_split": {"data": [[1.0, 1.0]]}})

    def test_tensors(self):
        self.assertEqual(make([tensor("float64", [-1, 4])]), {"inputs": [[1.0] * 4]})
        named = [tensor("int64", [-1, 2], "ids"), tensor("str", [-1], "text"), tensor("bool", [], "flag")]
        self.assertEqual(make(named), {"inputs": {"ids": [[1, 1]], "text": ["a"], "flag": True}})

    def test_type_hints_take_the_value_of_inputs(self):
        self.assertEqual(make([column("string")], type_hints=True), {"inputs": ["a"]})

    def test_no_plausible_input(self):
        self.assertIsNone(make(None))
        self.assertIsNone(make([]))
        self.assertIsNone(make([column("sparkml_vector", "v")]))
        self.assertIsNone(make([tensor("complex128", [-1])]))
        self.assertIsNone(make([tensor("float32", [-1, 3, 1024, 1024])]))


class ExpectedAnswers(unittest.TestCase):
    def check(self, expected, found):
        check_expected(expected, json.dumps({"predictions": found}))

    def test_equal_answers(self):
        self.check([0.1 + 0.2], [0.3])
        self.check({"predictions": [{"a": 1}]}, [{"a": 1.0}])
        check_expected({"choices": []}, '{"choices": []}')

    def test_differences_name_their_place(self):
        for expected, found, message in [
            ([1, 2], [1, 3], "predictions[1]: expected 2, found 3"),
            ([1], [1, 1], "predictions: expected 1 item, found 2"),
            ([{"a": 1}], [{}], "predictions[0].a: expected it, found no such key"),
            ([{}], [{"a": 1}], "predictions[0].a: expected no such key, found it"),
            ([True], [1], "predictions[0]: expected true, found 1"),
            (["1"], [1], 'predictions[0]: expected "1", found 1'),
            ([None], [float("inf")], "predictions[0]: expected null, found Infinity"),
        ]:
            with self.subTest(message), self.assertRaises(UnexpectedAnswer) as raised:
                self.check(expected, found)
            self.assertEqual(str(raised.exception), message)


if __name__ == "__main__":
    unittest.main()
