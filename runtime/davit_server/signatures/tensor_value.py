"""Checks nested lists against a tensor specification `{"dtype", "shape"}`; -1 in a shape means any length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .format_value import format_value

SIZED = re.compile(r"(u?int|float|complex)(\d+)")


def find_tensor_mismatch(spec: dict, value: Any, null_numbers: bool) -> str | None:
    """Returns a phrase such as `expected shape (-1, 4), found (3, 2)`, or None when the value fits."""
    wanted = list(spec["shape"])
    shape = measure_shape(value, len(wanted) if spec["dtype"] == "object" else None)
    if shape is None:
        return f"expected shape {format_shape(wanted)}, found lists of different lengths"
    if not fits_shape(shape, wanted):
        return f"expected shape {format_shape(wanted)}, found {format_shape(shape) if shape else format_value(value)}"
    for leaf in list_elements(value, len(shape)):
        if not is_element(spec["dtype"], leaf, null_numbers):
            return f"expected {spec['dtype']}, found {format_value(leaf)}"
    return None


def measure_shape(value: Any, depth: int | None) -> list[int] | None:
    """Returns the lengths, outermost first, down to `depth`; None when lists differ in length."""
    if not isinstance(value, list) or depth == 0:
        return []
    inner = [measure_shape(item, None if depth is None else depth - 1) for item in value]
    if any(shape is None or shape != inner[0] for shape in inner):
        return None
    return [len(value), *(inner[0] if inner else [])]


def fits_shape(shape: list[int], wanted: list[int]) -> bool:
    if 0 in shape:  # an empty list hides the dimensions behind it
        wanted = wanted[: len(shape)]
    return len(shape) == len(wanted) and all(want in (-1, have, None) for have, want in zip(shape, wanted))


def list_elements(value: Any, depth: int) -> Iterator[Any]:
    if depth == 0:
        yield value
        return
    for item in value:
        yield from list_elements(item, depth - 1)


def is_element(dtype: str, value: Any, null_numbers: bool) -> bool:
    sized = SIZED.fullmatch(dtype)
    if sized and sized[1] in ("int", "uint"):
        bits = int(sized[2])
        low, high = (0, 1 << bits) if sized[1] == "uint" else (-(1 << (bits - 1)), 1 << (bits - 1))
        return type(value) is int and low <= value < high
    if sized and sized[1] == "float":
        return (null_numbers and value is None) or (isinstance(value, (int, float)) and not isinstance(value, bool))
    if dtype in ("bool", "bool_"):
        return isinstance(value, bool)
    if dtype.startswith(("str", "bytes", "datetime64", "timedelta64")):
        return isinstance(value, str)
    return True  # object: anything


def format_shape(shape: list[int]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
