"""The forms of requests: what clients send to a scoring server, made from one good request of a model.

Standard library only, Python 3.8. `make_forms` returns them by name; each is (content type or None, body).
"""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

Form = "tuple[str | None, bytes]"
JSON, CSV = "application/json", "text/csv"
SAMPLES = {
    "string": "ä b",
    "double": 1.5,
    "float": 2.5,
    "long": 3,
    "integer": 4,
    "boolean": True,
    "datetime": "2026-01-02T03:04:05",
    "binary": base64.b64encode(b"bytes").decode(),
}


def make_forms(model: Path, signature: dict, example: Any) -> dict[str, Form]:
    """`signature` is that of MLmodel. `example` is a good request body, or None: it is then made from the signature."""
    inputs = json.loads(signature.get("inputs") or "null")
    good = example or {"inputs": make_sample(inputs)}
    table = read_table(good, inputs)
    names = [column.get("name") for column in inputs or []]
    forms = make_table_forms(*table) if table else make_value_forms(good)
    optional = next((c["name"] for c in inputs or [] if c.get("name") and c.get("required") is False), None)
    if table and optional in table[0]:
        place = table[0].index(optional)
        without = [[v for i, v in enumerate(row) if i != place] for row in table[1]]
        forms["optional column missing"] = split([n for n in table[0] if n != optional], without)
    forms.update(make_body_forms(good, names))
    return forms


def make_sample(inputs: list | None) -> Any:
    """Returns two records of a signature of scalar columns."""
    record = {c["name"]: SAMPLES.get(c["type"], 1.5) for c in inputs or [] if isinstance(c.get("type"), str)}
    return [record, dict(record)] if record else [[1.5, 2.5], [3.5, 4.5]]


def read_table(good: dict, inputs: list | None) -> tuple[list, list] | None:
    """Returns columns and rows when the request is a table."""
    if "dataframe_split" in good:
        found = good["dataframe_split"]
        return found.get("columns") or list(range(len(found["data"][0]))), found["data"]
    records = good.get("dataframe_records", good.get("inputs"))
    if isinstance(records, list) and records and all(isinstance(r, dict) for r in records):
        columns = [c["name"] for c in inputs or [] if "name" in c] or list(records[0])
        return columns, [[r.get(c) for c in columns] for r in records]
    return None


def dump(value: Any) -> bytes:
    return json.dumps(value).encode()


def split(columns: list, rows: list, **more: Any) -> Form:
    return JSON, dump({"dataframe_split": {"columns": columns, "data": rows, **more}})


def make_table_forms(columns: list, rows: list) -> dict[str, Form]:
    records = [dict(zip(map(str, columns), row)) for row in rows]

    def put(value: Any) -> Form:
        return split(columns, [[value, *row[1:]] for row in rows])

    def rename(name: str) -> Form:
        return split([name, *columns[1:]], rows)

    text = write_csv(columns, rows)
    return {
        "split": split(columns, rows),
        "split with index": split(columns, rows, index=[f"row {i}" for i in range(len(rows))]),
        "split without columns": (JSON, dump({"dataframe_split": {"data": rows}})),
        "split with another key": split(columns, rows, names=["a"]),
        "split reordered": split(columns[::-1], [row[::-1] for row in rows]),
        "split short row": split(columns, [*rows, rows[0][:-1]]),
        "split twice the column": split([*columns, columns[0]], [[*row, row[0]] for row in rows]),
        "records": (JSON, dump({"dataframe_records": records})),
        "records with different keys": (
            JSON,
            dump({"dataframe_records": [*records, dict([*records[0].items()][:-1])]}),
        ),
        "records that are lists": (JSON, dump({"dataframe_records": rows})),
        "one record, not a list": (JSON, dump({"dataframe_records": records[0]})),
        "inputs of records": (JSON, dump({"inputs": records})),
        "inputs of columns": (JSON, dump({"inputs": {c: [r[c] for r in records] for c in records[0]}})),
        "inputs of one record": (JSON, dump({"inputs": records[0]})),
        "inputs of lists": (JSON, dump({"inputs": rows})),
        "inputs of one row": (JSON, dump({"inputs": rows[0]})),
        "instances of records": (JSON, dump({"instances": records})),
        "instances of lists": (JSON, dump({"instances": rows})),
        "instances of columns": (JSON, dump({"instances": {c: [r[c] for r in records] for c in records[0]}})),
        "one row": split(columns, rows[:1]),
        "100 rows": split(columns, (rows * 100)[:100]),
        "no rows": split(columns, []),
        "no records": (JSON, dump({"dataframe_records": []})),
        "null": put(None),
        "a row of nulls": split(columns, [*rows, [None] * len(columns)]),
        "a column of nulls": split(columns, [[*row[:-1], None] for row in rows]),
        "NaN": put(float("nan")),
        "Infinity": put(float("inf")),
        "whole numbers": split(columns, [[int(v) if isinstance(v, float) else v for v in row] for row in rows]),
        "decimal numbers": split(columns, [[v + 0.0 if type(v) is int else v for v in row] for row in rows]),
        "numbers as text": split(
            columns, [[str(v) if isinstance(v, (int, float)) else v for v in row] for row in rows]
        ),
        "text": put("no number"),
        "empty text": put(""),
        "unicode": put("grün \U0001f33b \u0000"),
        "boolean": put(True),
        "date": put("2026-01-02"),
        "date with zone": put("2026-01-02T03:04:05+02:00"),
        "date as a number": put(1767225600000),
        "no date": put("2026-13-45"),
        "2 to the 53 and 1": put(2**53 + 1),
        "2 to the 63": put(2**63),
        "2 to the 64 and more": put(2**70),
        "1e400": (JSON, split(columns, [["@", *row[1:]] for row in rows])[1].replace(b'"@"', b"1e400")),
        "tiny decimals": put(0.1 + 0.2),
        "nested value": put([1, 2]),
        "nested object": put({"a": 1}),
        "base64": put({"b64": base64.b64encode(b"bytes").decode()}),
        "column missing": split(columns[1:], [row[1:] for row in rows]),
        "column unknown": rename("unknown"),
        "column with blank": rename(f" {columns[0]}"),
        "column more": split([*columns, "extra"], [[*row, 1] for row in rows]),
        "csv": (CSV, text),
        "csv; charset=utf-8": ("text/csv; charset=utf-8", text),
        "csv with capitals": ("Text/CSV; Charset=UTF-8", text),
        "csv with CRLF": (CSV, text.replace(b"\n", b"\r\n")),
        "csv with BOM": (CSV, b"\xef\xbb\xbf" + text),
        "csv header only": (CSV, text.split(b"\n", 1)[0]),
        "csv empty": (CSV, b""),
        "csv with empty cells": (CSV, write_csv(columns, [["", *row[1:]] for row in rows])),
        "csv with quotes": (CSV, write_csv(columns, [['a "b", c\nd', *row[1:]] for row in rows])),
        "csv with semicolons": (CSV, text.replace(b",", b";")),
        "csv reordered": (CSV, write_csv(columns[::-1], [row[::-1] for row in rows])),
        "csv column more": (CSV, write_csv([*columns, "extra"], [[*row, 1] for row in rows])),
        "csv long row": (CSV, text + b",1,2,3\n"),
    }


def write_csv(columns: list, rows: list) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([columns, *rows])
    return text.getvalue().encode()


def make_value_forms(good: dict) -> dict[str, Form]:
    """The forms for a model whose input is no table: tensors, nested values, texts."""
    value = good.get("inputs", good)

    def send(value: Any) -> Form:
        return JSON, dump({"inputs": value})

    first = value[:1] if isinstance(value, list) else value
    return {
        "inputs": send(value),
        "instances": (JSON, dump({"instances": value})),
        "inputs of one": send(first),
        "inputs of the first itself": send(value[0] if isinstance(value, list) and value else value),
        "inputs in a list": send([value]),
        "inputs empty": send([]),
        "inputs of null": send(None),
        "inputs of nulls": send([None]),
        "inputs with null": send([*value, None] if isinstance(value, list) else {**value, "other": None}),
        "inputs with NaN": send([*value, float("nan")] if isinstance(value, list) else {"a": float("nan")}),
        "inputs of a text": send("text"),
        "inputs of texts": send(["a", "grün \U0001f33b"]),
        "inputs of a number": send(5),
        "inputs of numbers": send([1, 2, 3]),
        "inputs of decimals": send([[1.5, 2.5], [3.5, 4.5]]),
        "inputs of booleans": send([True, False]),
        "inputs of big numbers": send([2**63, 2**70]),
        "inputs of an object": send({"a": [1, 2]}),
        "inputs of objects": send([{"a": 1}, {"b": 2}]),
        "inputs ragged": send([[1, 2], [3]]),
        "inputs deep": send([[[[1.0]]]]),
        "inputs twice": send(value * 2 if isinstance(value, list) else value),
        "split": (JSON, dump({"dataframe_split": {"columns": ["a"], "data": [[1]]}})),
        "split of the value": (
            JSON,
            dump({"dataframe_split": {"data": value if isinstance(value, list) else [value]}}),
        ),
        "records of the value": (JSON, dump({"dataframe_records": value})),
        "csv": (CSV, b"a,b\n1,2\n"),
    }


def make_body_forms(good: dict, names: list) -> dict[str, Form]:
    """What is the same for every model: the body, its encoding and its type, and parameters."""
    body = dump(good)

    def add(**more: Any) -> Form:
        return JSON, dump({**good, **more})

    return {
        "json; charset=utf-8": ("application/json; charset=utf-8", body),
        "json with capitals": ("APPLICATION/JSON;CHARSET=UTF-8", body),
        "json; charset latin-1": ("application/json; charset=latin-1", body),
        "json; another parameter": ("application/json; format=pandas-split", body),
        "no content type": (None, body),
        "text/plain": ("text/plain", body),
        "BOM": (JSON, b"\xef\xbb\xbf" + body),
        "UTF-16": (JSON, json.dumps(good, ensure_ascii=False).encode("utf-16")),
        "UTF-8 without escapes": (JSON, json.dumps(good, ensure_ascii=False).encode()),
        "broken UTF-8": (JSON, body[:-1] + b'"\xff"}'),
        "gzip": (JSON, gzip.compress(body)),
        "empty body": (JSON, b""),
        "blank body": (JSON, b"  \n"),
        "cut body": (JSON, body[:-3]),
        "two bodies": (JSON, body + body),
        "list": (JSON, b"[[1, 2]]"),
        "number": (JSON, b"1"),
        "null body": (JSON, b"null"),
        "empty object": (JSON, b"{}"),
        "unknown key": (JSON, dump({"data": [[1]]})),
        "a second key": add(unknown=1),
        "two inputs": add(instances=[[1]], inputs=[[1]]),
        "signature_name": add(signature_name="serving_default"),
        "no parameters": add(params={}),
        "parameters null": add(params=None),
        "parameters a list": add(params=[1]),
        "parameters unknown": add(params={"unknown": 1}),
        "parameters of every kind": add(params={"factor": 2.5, "count": 7, "name": "grün", "is_new": True}),
        "parameters of wrong type": add(params={"factor": "much", "count": 1.5}),
        "parameters whole for decimal": add(params={"factor": 2}),
        "parameters date": add(params={"day": "2026-02-03T04:05:06"}),
        "parameters list": add(params={"stops": ["x"]}),
        "parameters empty list": add(params={"stops": []}),
        "parameter null": add(params={"factor": None}),
        "messages": (JSON, dump({"messages": [{"role": "user", "content": "grün"}]})),
        "messages with parameter": (JSON, dump({"messages": [{"role": "user", "content": "a"}], "temperature": 0.5})),
        "messages wrong": (JSON, dump({"messages": "a"})),
        "prompt": (JSON, dump({"prompt": "a"})),
        "input": (JSON, dump({"input": [{"role": "user", "content": "a"}]})),
        "inputs as columns by name": (JSON, dump({"inputs": {str(name): [1, 2] for name in names}})),
    }
