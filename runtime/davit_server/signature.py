"""Checks an answer, as JSON, against the output signature of the model. Standard library only, any Python from 3.9.

A signature is MLflow's JSON: a list of columns `{"type", "name"?, "required"?, …}` or of tensors
`{"type": "tensor", "name"?, "tensor-spec": {"dtype", "shape"}}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .column_value import find_wrong, is_required, type_name
from .shown import listed, shown
from .tensor import find_tensor_mismatch

MOST = 5
"""Mismatches told, all of the first row that has any; the rest is more of the same."""


class SignatureMismatch(Exception):
    """An answer contradicts the output signature."""


def find_mismatches(columns: list[dict] | None, answer: Any, null_numbers: bool = False) -> list[str]:
    """Sentences such as `column "score": expected double, found string "high" in row 0`; none when all is well.

    `null_numbers`: NaN has been written as null, so a null is a number.
    """
    if not columns:
        return []
    found = []
    for mismatch in mismatches(columns, answer, null_numbers):
        found.append(mismatch)
        if len(found) == MOST:
            break
    return found


def mismatches(columns: list[dict], answer: Any, null_numbers: bool) -> Iterator[str]:
    named = all("name" in column for column in columns)
    if not named and len(columns) == 1:
        yield from check_unnamed(columns[0], answer, null_numbers)
    elif columns[0]["type"] == "tensor":
        yield from check_tensors(columns, answer, null_numbers)
    else:
        yield from check_rows(columns, answer, null_numbers, named)


def check_unnamed(column: dict, answer: Any, null_numbers: bool) -> Iterator[str]:
    """One value, a list of them, or records with one column (a pandas Series)."""
    if column["type"] == "tensor":
        wrong = find_tensor_mismatch(column["tensor-spec"], answer, null_numbers)
        if wrong:
            yield f"answer: {wrong}"
        return
    if find_wrong(column, answer, null_numbers) is None:
        return
    if not isinstance(answer, list):
        yield f"answer: {find_wrong(column, answer, null_numbers)}"
        return
    for row, value in enumerate(answer):
        inner = next(iter(value.values())) if isinstance(value, dict) and value.keys() == {"0"} else value
        wrong = find_wrong(column, inner, null_numbers)
        if wrong:
            yield f"answer: {wrong} in row {row}"
            return


def check_tensors(columns: list[dict], answer: Any, null_numbers: bool) -> Iterator[str]:
    if not isinstance(answer, dict):
        yield f"answer: expected an object with {names_of(columns)}, found {shown(answer)}"
        return
    for column in columns:
        name = column["name"]
        if name not in answer:
            yield f'output "{name}": expected it, found {listed(answer)}'
            continue
        wrong = find_tensor_mismatch(column["tensor-spec"], answer[name], null_numbers)
        if wrong:
            yield f'output "{name}": {wrong}'
    yield from check_extra(columns, answer, "output", "")


def check_rows(columns: list[dict], answer: Any, null_numbers: bool, named: bool) -> Iterator[str]:
    if named and isinstance(answer, dict):
        yield from check_columns(columns, answer, null_numbers, "")
        return
    if not isinstance(answer, list):
        yield f"answer: expected records with {names_of(columns)}, found {shown(answer)}"
        return
    for row, record in enumerate(answer):
        if isinstance(record, list) and not named:
            record = {str(i): value for i, value in enumerate(record)}
        if not isinstance(record, dict):
            yield f"answer: expected records with {names_of(columns)}, found {shown(record)} in row {row}"
            return
        wrongs = list(check_columns(columns, record, null_numbers, f" in row {row}"))
        yield from wrongs
        if wrongs:
            return


def check_columns(columns: list[dict], record: dict, null_numbers: bool, where: str) -> Iterator[str]:
    for i, column in enumerate(columns):
        name = column.get("name", str(i))
        if name in record:
            wrong = find_wrong(column, record[name], null_numbers)
            if wrong:
                yield f'column "{name}": {wrong}{where}'
        elif is_required(column):
            yield f'column "{name}": expected {type_name(column)}, found no such column{where}'
    yield from check_extra(columns, record, "column", where)


def check_extra(columns: list[dict], record: dict, noun: str, where: str) -> Iterator[str]:
    known = {column.get("name", str(i)) for i, column in enumerate(columns)}
    for name in record:
        if name not in known:
            yield f'{noun} "{name}": expected only {names_of(columns)}, found it too{where}'


def names_of(columns: list[dict]) -> str:
    noun = "column" if len(columns) == 1 else "columns"
    return f"{noun} " + ", ".join(f'"{column.get("name", i)}"' for i, column in enumerate(columns))
