"""Refuses input that MLflow, pandas or NumPy would expand to a multiple of its size.

A table of N rows with N different keys has N squared cells; an array of N strings takes N times the longest.
Every check takes time in proportion to the input. The functions `check_…` raise Refused, with status 400 or 413.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import Any

from .refused import Refused, make_bad_request

MOST_CELLS = 2_000_000
MOST_CHARACTERS = 16_000_000
SPREAD = 16
"""Above these sizes, a table may have so many cells per sent value, an array so many characters per sent character."""

MOST_LEVELS = 32
MOST_DOUBTFUL_COLUMNS = 1000
MOST_PARQUET_CELLS = 50_000_000
PARQUET_SPREAD = 64


def check_split(split: Any, schema: Any) -> None:
    """Checks a value of `dataframe_split`; MLflow refuses a value that is not an object."""
    if not isinstance(split, dict):
        return
    columns, index = as_list(split.get("columns")), as_list(split.get("index"))
    for key, labels in (("columns", columns), ("index", index)):
        check_labels(key, labels)
    check_twice(columns, schema)
    data = split.get("data")
    rows, width, entries = measure_table(data)
    check_cells(max(rows, len(index)), max(width, len(columns)), entries + len(index) + len(columns))
    check_tensor_width(max(width, len(columns)), schema)
    check_texts(data, depth=2)


def check_records(records: Any, schema: Any) -> None:
    rows, width, entries = measure_table(records)
    check_cells(rows, width, entries)
    check_tensor_width(width, schema)
    check_texts(records, depth=2)


def check_bare(data: dict) -> None:
    """Checks an object that is the whole input: MLflow may make a table in which list items multiply each value."""
    check_cells(*measure_table(data))
    check_texts(data, depth=0)


def check_values(values: Any) -> None:
    """Checks a value of `inputs` or `instances`, of which NumPy makes one array, or one for each column."""
    check_cells(*measure_table(values))
    check_texts(values, depth=0)
    if isinstance(values, list):
        columns: dict[str, list] = {}
        for record in values:
            if isinstance(record, dict):
                for key, value in record.items():
                    columns.setdefault(key, []).append(value)
        check_texts(columns, depth=0)


def measure_table(value: Any) -> tuple[int, int, int]:
    """Returns the rows and columns that a table of this value would have, and the number of sent values."""
    if not isinstance(value, (list, dict)):
        return 1, 1, 1
    items = value if isinstance(value, list) else value.values()
    longest, inner, keys = 0, 0, set()
    for item in items:
        if isinstance(item, (list, dict)):
            inner += len(item)
        if isinstance(item, list):
            longest = max(longest, len(item))
        elif isinstance(item, dict):
            keys.update(item)
    across = max(longest, len(keys), 1)
    rows, width = (len(value), across) if isinstance(value, list) else (across, len(value))
    return rows, width, len(value) + inner


def check_cells(rows: int, width: int, entries: int) -> None:
    if rows * width > max(MOST_CELLS, SPREAD * entries):
        what = f"{rows} rows and {width} different columns with only {entries} values"
        raise make_bad_request(f"The table has {what}, expected rows with the same columns. Send fewer rows at once.")


def check_labels(key: str, labels: list) -> None:
    """Integers above 64 bits can be chosen to have the same hash, and a list makes an index with as many levels."""
    if any(type(label) is int and not -(1 << 63) <= label < 1 << 63 for label in labels):
        raise make_bad_request(f"The list {key} holds an integer of more than 64 bits, expected names.")
    if len(labels) > MOST_LEVELS and any(isinstance(label, (list, dict)) for label in labels):
        raise make_bad_request(f"The list {key} holds lists, expected names.")


def check_twice(columns: list, schema: Any) -> None:
    if schema is None or not schema.has_input_names():
        return
    known = {name for name in schema.input_names() if isinstance(name, (str, int, float))}
    counts = Counter(name for name in columns if isinstance(name, (str, int, float)) and name in known)
    twice = next((name for name, count in counts.items() if count > 1), None)
    if twice is not None:
        raise make_bad_request(f'The list columns has "{twice}" more than once, expected each column once.')


def check_tensor_width(width: int, schema: Any) -> None:
    """MLflow casts each column separately before it compares the number of columns."""
    if schema is None or not schema.is_tensor_spec() or schema.has_input_names() or width <= 1:
        return
    shape = tuple(schema.inputs[0].shape)
    if shape != (-1, width):
        raise make_bad_request(
            f"The table has {width} columns, expected a table that fits the tensor of shape {shape}."
        )


def check_texts(value: Any, depth: int) -> None:
    """Checks lists below `depth` levels of lists and objects: NumPy makes arrays of strings of one width of them."""
    level = [value]
    for _ in range(depth):
        nested = (item for item in level if isinstance(item, (list, dict)))
        level = [inner for item in nested for inner in (item if isinstance(item, list) else item.values())]
    waiting = [item for item in level if isinstance(item, (list, dict))]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(inner for inner in item.values() if isinstance(inner, (list, dict)))
        else:
            waiting.extend(check_array(item))


def check_array(items: list) -> list[dict]:
    """Checks a list and its nested lists as one array; returns the objects in it, which are not checked yet."""
    count = total = longest = 0
    objects: list[dict] = []
    waiting = [items]
    while waiting:
        for item in waiting.pop():
            if isinstance(item, list):
                waiting.append(item)
                continue
            count += 1
            if isinstance(item, str):
                total += len(item)
                longest = max(longest, len(item))
            elif isinstance(item, dict):
                objects.append(item)
    if count * longest > max(MOST_CHARACTERS, SPREAD * total):
        raise make_bad_request(
            f"A list has {count} items of which the longest is a text of {longest} characters, expected texts of about "
            "the same length, or fewer at once. As dataframe_split or dataframe_records there is no such limit."
        )
    return objects


def check_csv(text: str) -> None:
    """A short line gets a cell for each column of the header, and pandas renames duplicate columns."""
    try:
        header = next(csv.reader(io.StringIO(text)), [])
    except csv.Error as error:
        raise make_bad_request("The header of the table cannot be read, expected names of columns.") from error
    lines = text.count("\n") + text.count("\r")
    check_cells(lines, len(header), len(text))
    if len(header) > MOST_DOUBTFUL_COLUMNS and len(set(header)) < len(header):
        raise make_bad_request(
            f"The table has {len(header)} columns and some names more than once, expected each column once."
        )


def check_parquet(rows: int, width: int, size: int) -> None:
    if rows * width > max(MOST_PARQUET_CELLS, PARQUET_SPREAD * size):
        message = f"The table has {rows} rows and {width} columns, expected at most {MOST_PARQUET_CELLS} cells at once."
        raise Refused(413, "REQUEST_TOO_LARGE", message)


def as_list(value: Any) -> list:
    return value if isinstance(value, list) else []
