"""Checks one value of an answer against one column of a signature: scalars, arrays, objects, maps.

The functions `find_value_mismatch…` return what is wrong with the value as a phrase, or None when it fits.
"""

from __future__ import annotations

import base64
import re
from typing import Any, NamedTuple

from .format_value import format_value, list_names

COMPLEX = ("array", "object", "map", "any", "sparkml_vector")
RANGES = {"integer": 31, "long": 63}
DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?(Z|[+-]\d{2}:?\d{2})?")


class Leniency(NamedTuple):
    """Deviations from the signature that are accepted in an answer."""

    null_numbers: bool = False
    """NaN was written as null, so null is accepted as a float or double."""
    open_objects: bool = False
    """An object may have more properties than the signature names."""


STRICT = Leniency()


def find_value_mismatch(
    column: dict, value: Any, leniency: Leniency = STRICT, required: bool | None = None
) -> str | None:
    """Returns a phrase such as `expected double, found null`, or None when the value fits.

    `required` overrides the column's own setting when it is given.
    """
    kind = column["type"]
    required = is_required(column) if required is None else required
    if value is None or (kind == "datetime" and value == "NaT" and not required):  # MLflow writes NaT as a string
        number = leniency.null_numbers and kind in ("float", "double")
        return None if number or not required or kind == "any" else f"expected {name_type(column)}, found null"
    if kind == "array":
        return find_item_mismatch(column["items"], value, leniency, required)
    if kind == "object":
        return find_property_mismatch(column["properties"], value, leniency)
    if kind == "map":
        return find_entry_mismatch(column["values"], value, leniency)
    fits = kind in ("any", "sparkml_vector") or SCALARS[kind](value)
    return None if fits else f"expected {kind}, found {format_value(value)}"


def find_item_mismatch(items: dict, value: Any, leniency: Leniency, required: bool) -> str | None:
    if not isinstance(value, list):
        return f"expected array of {name_type(items)}, found {format_value(value)}"
    wrongs = ((i, find_value_mismatch(items, item, leniency, required)) for i, item in enumerate(value))
    return next((f"{wrong} at item {i}" for i, wrong in wrongs if wrong), None)


def find_property_mismatch(properties: dict, value: Any, leniency: Leniency) -> str | None:
    if not isinstance(value, dict):
        return f"expected object, found {format_value(value)}"
    for name, kind in properties.items():
        required = kind.get("required", True)
        if name not in value and required:
            return f'expected property "{name}", found {list_names(value)}'
        wrong = find_value_mismatch(kind, value[name], leniency, required) if name in value else None
        if wrong:
            return f'{wrong} at property "{name}"'
    if leniency.open_objects:
        return None
    extra = next((name for name in value if name not in properties), None)
    return None if extra is None else f'expected no property "{extra}", found it'


def find_entry_mismatch(values: dict, value: Any, leniency: Leniency) -> str | None:
    if not isinstance(value, dict):
        return f"expected map, found {format_value(value)}"
    wrongs = ((key, find_value_mismatch(values, entry, leniency, True)) for key, entry in value.items())
    return next((f'{wrong} at key "{key}"' for key, wrong in wrongs if wrong), None)


def is_required(column: dict) -> bool:
    """Says whether a column is required. MLflow's default is true for scalars and false for complex types."""
    return bool(column.get("required", column["type"] not in COMPLEX))


def is_integer(value: Any, bits: int) -> bool:
    return type(value) is int and -(1 << bits) <= value < 1 << bits


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_base64(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(base64.b64decode("".join(value.split()), validate=True) or not value)
    except ValueError:  # binascii.Error, or a character that is not ASCII
        return False


SCALARS = {
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: is_integer(value, RANGES["integer"]),
    "long": lambda value: is_integer(value, RANGES["long"]),
    "float": is_number,
    "double": is_number,
    "string": lambda value: isinstance(value, str),
    "binary": is_base64,
    "datetime": lambda value: isinstance(value, str) and DATETIME.fullmatch(value) is not None,
}


def name_type(column: dict) -> str:
    return f"array of {name_type(column['items'])}" if column["type"] == "array" else column["type"]
