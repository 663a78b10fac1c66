"""Checks an answer, as JSON, against the output signature of the model. Standard library only, any Python from 3.8.

A signature is MLflow's JSON: a list of columns `{"type", "name"?, "required"?, …}` or of tensors
`{"type": "tensor", "name"?, "tensor-spec": {"dtype", "shape"}}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .column_value import STRICT, Leniency, find_value_mismatch, is_required, name_type
from .format_value import format_value, list_names
from .tensor_value import find_tensor_mismatch

MOST = 5
"""Most mismatches that are reported, all of the first row that has any; later rows repeat them."""


class SignatureMismatch(Exception):
    """An answer contradicts the output signature."""


def find_mismatches(columns: list[dict] | None, answer: Any, leniency: Leniency = STRICT) -> list[str]:
    """Returns phrases such as `column "score": expected double, found string "high" in row 0`; none when all fits."""
    if not columns:
        return []
    found = []
    for mismatch in iterate_mismatches(columns, answer, leniency):
        found.append(mismatch)
        if len(found) == MOST:
            break
    return found


def iterate_mismatches(columns: list[dict], answer: Any, leniency: Leniency) -> Iterator[str]:
    named = all("name" in column for column in columns)
    if not named and len(columns) == 1:
        yield from check_unnamed(columns[0], answer, leniency)
    elif columns[0]["type"] == "tensor":
        yield from check_tensors(columns, answer, leniency)
    else:
        yield from check_rows(columns, answer, leniency, named)


def check_unnamed(column: dict, answer: Any, leniency: Leniency) -> Iterator[str]:
    """Checks one value, a list of values, or records with one column (a pandas Series)."""
    if column["type"] == "tensor":
        wrong = find_tensor_mismatch(column["tensor-spec"], answer, leniency.null_numbers)
        if wrong:
            yield f"answer: {wrong}"
        return
    if find_value_mismatch(column, answer, leniency) is None:
        return
    if not isinstance(answer, list):
        yield f"answer: {find_value_mismatch(column, answer, leniency)}"
        return
    for row, value in enumerate(answer):
        inner = next(iter(value.values())) if isinstance(value, dict) and value.keys() == {"0"} else value
        wrong = find_value_mismatch(column, inner, leniency)
        if wrong:
            yield f"answer: {wrong} in row {row}"
            return


def check_tensors(columns: list[dict], answer: Any, leniency: Leniency) -> Iterator[str]:
    if not isinstance(answer, dict):
        yield f"answer: expected an object with {name_columns(columns)}, found {format_value(answer)}"
        return
    for i, column in enumerate(columns):
        name = name_column(column, i)
        if name not in answer:
            yield f'output "{name}": expected it, found {list_names(answer)}'
            continue
        wrong = find_tensor_mismatch(column["tensor-spec"], answer[name], leniency.null_numbers)
        if wrong:
            yield f'output "{name}": {wrong}'
    if not leniency.open_objects:
        yield from check_extra(columns, answer, "output", "")


def check_rows(columns: list[dict], answer: Any, leniency: Leniency, named: bool) -> Iterator[str]:
    if named and isinstance(answer, dict):
        yield from check_columns(columns, answer, leniency, "")
        return
    if not isinstance(answer, list):
        yield f"answer: expected records with {name_columns(columns)}, found {format_value(answer)}"
        return
    for row, record in enumerate(answer):
        if isinstance(record, list) and not named:
            record = {str(i): value for i, value in enumerate(record)}
        if not isinstance(record, dict):
            yield f"answer: expected records with {name_columns(columns)}, found {format_value(record)} in row {row}"
            return
        wrongs = list(check_columns(columns, record, leniency, f" in row {row}"))
        yield from wrongs
        if wrongs:
            return


def check_columns(columns: list[dict], record: dict, leniency: Leniency, where: str) -> Iterator[str]:
    for i, column in enumerate(columns):
        name = name_column(column, i)
        if name in record:
            wrong = find_value_mismatch(column, record[name], leniency)
            if wrong:
                yield f'column "{name}": {wrong}{where}'
        elif is_required(column):
            yield f'column "{name}": expected {name_type(column)}, found no such column{where}'
    if not leniency.open_objects:
        yield from check_extra(columns, record, "column", where)


def check_extra(columns: list[dict], record: dict, noun: str, where: str) -> Iterator[str]:
    known = {name_column(column, i) for i, column in enumerate(columns)}
    for name in record:
        if name not in known:
            yield f'{noun} "{name}": expected only {name_columns(columns)}, found it too{where}'


def name_column(column: dict, place: int) -> str:
    """Returns a column's key in an answer. JSON makes strings of the integers and other scalars that pandas allows."""
    name = column.get("name", place)
    return name if isinstance(name, str) else json.dumps(name)


def name_columns(columns: list[dict]) -> str:
    noun = "column" if len(columns) == 1 else "columns"
    return f"{noun} " + ", ".join(f'"{name_column(column, i)}"' for i, column in enumerate(columns))
