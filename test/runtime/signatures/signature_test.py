"""Tests of davit_server.signatures.signature: answers against output signatures. Standard library only."""

import unittest

from davit_server.signatures.column_value import Leniency
from davit_server.signatures.signature import find_mismatches

DOUBLE = {"type": "double", "name": "score", "required": True}
LABEL = {"type": "string", "name": "label", "required": False}


def column(kind, **more):
    return {"type": kind, "name": "c", "required": True, **more}


def tensor(dtype, shape, **more):
    return {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": shape}, **more}


class FindMismatches(unittest.TestCase):
    def check(self, rows):
        for columns, answer, expected in rows:
            with self.subTest(columns=columns, answer=answer):
                self.assertEqual(find_mismatches(columns, answer), expected)

    def test_no_signature_accepts_everything(self):
        self.check([(None, "x", []), ([], {"a": 1}, [])])

    def test_named_columns(self):
        only = 'column "score": expected only column "score", found it too in row 0'
        self.check(
            [
                ([DOUBLE], [{"score": 0.5}, {"score": 1}], []),
                ([DOUBLE], {"score": 0.5}, []),
                ([DOUBLE], [], []),
                ([DOUBLE], [{"score": "high"}], ['column "score": expected double, found string "high" in row 0']),
                ([DOUBLE], [{"score": 1}, {"score": True}], ['column "score": expected double, found true in row 1']),
                ([DOUBLE], [{"score": None}], ['column "score": expected double, found null in row 0']),
                ([DOUBLE], [{}], ['column "score": expected double, found no such column in row 0']),
                ([DOUBLE], [{"score": 1, "x": 2}], [only.replace('"score": expected', '"x": expected', 1)]),
                ([DOUBLE], [0.5], ['answer: expected records with column "score", found number 0.5 in row 0']),
                ([DOUBLE], 0.5, ['answer: expected records with column "score", found number 0.5']),
                ([DOUBLE, LABEL], [{"score": 1, "label": None}, {"score": 2}], []),
            ]
        )

    def test_every_wrong_column_of_the_first_wrong_row(self):
        answer = [{"score": 1, "label": "a"}, {"score": "b", "label": 2}, {"score": "c", "label": 3}]
        found = find_mismatches([DOUBLE, LABEL], answer)
        self.assertEqual(
            found,
            [
                'column "score": expected double, found string "b" in row 1',
                'column "label": expected string, found number 2 in row 1',
            ],
        )

    def test_scalars(self):
        good = {
            "boolean": [True],
            "integer": [0, 2**31 - 1, -(2**31)],
            "long": [2**63 - 1],
            "float": [1, 0.5],
            "double": [1e300],
            "string": ["", "a"],
            "binary": ["", "AAEC", "AAEC\n"],
            "datetime": [
                "2026-11-22",
                "2026-11-22T12:00:00",
                "2026-11-22T12:00:00.123456789+00:00",
                "2026-11-22 12:00",
            ],
            "any": [None, 1, {"a": []}],
        }
        bad = {
            "boolean": [0, "true"],
            "integer": [2**31, 1.0, True],
            "long": [2**63, "1"],
            "double": ["0.5", False],
            "string": [1],
            "binary": ["ä", "A", 1],
            "datetime": ["yesterday", 1700000000],
        }
        for kind, values in good.items():
            for value in values:
                with self.subTest(kind=kind, value=value):
                    self.assertEqual(find_mismatches([column(kind)], [{"c": value}]), [])
        for kind, values in bad.items():
            for value in values:
                with self.subTest(kind=kind, value=value):
                    self.assertEqual(len(find_mismatches([column(kind)], [{"c": value}])), 1)

    def test_nested_types(self):
        numbers = column("array", items={"type": "long"})
        person = column("object", properties={"name": {"type": "string"}, "age": {"type": "long", "required": False}})
        counts = column("map", values={"type": "long"})
        self.check(
            [
                ([numbers], [{"c": [1, 2]}], []),
                ([numbers], [{"c": 1}], ['column "c": expected array of long, found number 1 in row 0']),
                ([numbers], [{"c": [1, "2"]}], ['column "c": expected long, found string "2" at item 1 in row 0']),
                ([person], [{"c": {"name": "a"}}], []),
                ([person], [{"c": {"age": 1}}], ['column "c": expected property "name", found only "age" in row 0']),
                ([person], [{"c": {"name": "a", "x": 1}}], ['column "c": expected no property "x", found it in row 0']),
                ([counts], [{"c": {"a": 1, "b": 2}}], []),
                ([counts], [{"c": {"a": None}}], ['column "c": expected long, found null at key "a" in row 0']),
            ]
        )

    def test_unnamed_column(self):
        text = {"type": "string", "required": True}
        self.check(
            [
                ([text], "a", []),
                ([text], ["a", "b"], []),
                ([text], [{"0": "a"}], []),
                ([text], ["a", 1], ["answer: expected string, found number 1 in row 1"]),
                ([text], 1, ["answer: expected string, found number 1"]),
                ([{"type": "array", "items": {"type": "double"}, "required": True}], [[0.1, 0.2], [0.3]], []),
            ]
        )

    def test_several_unnamed_columns_go_by_position(self):
        two = [{"type": "double"}, {"type": "string"}]
        self.check(
            [
                (two, [{"0": 1.0, "1": "a"}], []),
                (two, [[1.0, "a"]], []),
                (two, [[1.0, 2]], ['column "1": expected string, found number 2 in row 0']),
            ]
        )

    def test_tensors(self):
        self.check(
            [
                ([tensor("float64", [-1])], [0.5, 1], []),
                ([tensor("int64", [-1])], [0.5], ["answer: expected int64, found number 0.5"]),
                ([tensor("uint8", [-1])], [256], ["answer: expected uint8, found number 256"]),
                ([tensor("int64", [-1, 2])], [[1, 2], [3, 4]], []),
                ([tensor("int64", [-1, 2])], [[1, 2, 3]], ["answer: expected shape (-1, 2), found (1, 3)"]),
                ([tensor("int64", [-1])], [[1]], ["answer: expected shape (-1,), found (1, 1)"]),
                ([tensor("int64", [-1])], 1, ["answer: expected shape (-1,), found number 1"]),
                (
                    [tensor("int64", [-1, 2])],
                    [[1], [1, 2]],
                    ["answer: expected shape (-1, 2), found lists of different lengths"],
                ),
                ([tensor("int64", [-1, 2])], [], []),
                ([tensor("object", [-1])], ["a", {"b": 1}, [1]], []),
                ([tensor("str", [-1])], [1], ["answer: expected str, found number 1"]),
                ([tensor("float64", [-1])], [None], ["answer: expected float64, found null"]),
            ]
        )

    def test_named_tensors(self):
        both = [tensor("int64", [-1], name="a"), tensor("float32", [-1, 2], name="b")]
        self.check(
            [
                (both, {"a": [1], "b": [[1, 2]]}, []),
                (both, {"a": [1]}, ['output "b": expected it, found only "a"']),
                (both, [1], ['answer: expected an object with columns "a", "b", found a list']),
            ]
        )

    def test_null_stands_for_nan_when_told(self):
        self.assertEqual(find_mismatches([DOUBLE], [{"score": None}], Leniency(null_numbers=True)), [])
        self.assertEqual(find_mismatches([tensor("float32", [-1])], [None], Leniency(null_numbers=True)), [])
        self.assertEqual(len(find_mismatches([column("long")], [{"c": None}], Leniency(null_numbers=True))), 1)

    def test_no_more_than_five_are_told(self):
        columns = [{"type": "long", "name": str(i)} for i in range(9)]
        self.assertEqual(len(find_mismatches(columns, [{str(i): "x" for i in range(9)}])), 5)

    def test_names_that_are_no_texts_are_the_texts_that_json_makes_of_them(self):
        columns = [{"type": "double", "name": 0}, {"type": "long", "name": "a"}, {"type": "long", "name": 1.5}]
        self.check(
            [
                (columns, [{"0": 0.5, "a": 1, "1.5": 2}], []),
                (columns, [{"0": "x", "a": 1, "1.5": 2}], ['column "0": expected double, found string "x" in row 0']),
                ([tensor("int64", [-1], name=0)], {"0": [1]}, []),
                ([{"type": "long", "name": True}], [{"true": 1}], []),
            ]
        )

    def test_more_than_the_signature_names_is_the_models_business_where_mlflow_made_it(self):
        inner = {"type": "object", "properties": {"kind": {"type": "string"}}}
        output = {"type": "object", "properties": {"items": {"type": "array", "items": inner}}}
        answer = {"items": [{"kind": "message", "id": "1"}], "more": 1}
        self.assertEqual(len(find_mismatches([output], answer)), 1)
        self.assertEqual(find_mismatches([output], answer, Leniency(open_objects=True)), [])
        self.assertEqual(find_mismatches([LABEL], [{"label": "a", "more": 1}], Leniency(open_objects=True)), [])
        wrong = {"items": [{"kind": 1, "id": "1"}]}
        self.assertEqual(len(find_mismatches([output], wrong, Leniency(open_objects=True))), 1)

    def test_optional_values_may_be_absent_in_every_way(self):
        for kind in ("double", "string", "datetime", "long"):
            columns = [column(kind, required=False), DOUBLE]
            for answer in ({"score": 1, "c": None}, {"score": 1}):
                self.assertEqual(find_mismatches(columns, [answer]), [])
        self.assertEqual(find_mismatches([column("datetime", required=False)], [{"c": "NaT"}]), [])
        self.assertEqual(len(find_mismatches([column("datetime")], [{"c": "NaT"}])), 1)


if __name__ == "__main__":
    unittest.main()
