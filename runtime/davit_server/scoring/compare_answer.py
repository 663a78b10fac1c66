"""Compares an answer with the one that a validation case expects. Standard library only, Python 3.8."""

from __future__ import annotations

import json
import math
from typing import Any

RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE = 1e-6, 1e-9
"""Libraries round differently on another processor."""

SHOWN_CHARACTERS = 80


class UnexpectedAnswer(Exception):
    """An answer differs from the expected one."""


def check_expected(expected: Any, answer: str) -> None:
    """Raises UnexpectedAnswer when the answer, as JSON, differs. Both may be wrapped in `predictions`."""
    difference = find_difference(unwrap(expected), unwrap(json.loads(answer)), "predictions")
    if difference:
        raise UnexpectedAnswer(difference)


def is_same_answer(one: str | bytes | None, two: str | bytes | None) -> bool:
    """Compares two answers, as JSON; their text if they are nested too deeply. None stands for no answer."""
    if one is None or two is None or one == two:
        return one == two
    try:
        return not find_difference(json.loads(one), json.loads(two), "predictions")
    except RecursionError:
        return False


def unwrap(value: Any) -> Any:
    return value["predictions"] if isinstance(value, dict) and value.keys() == {"predictions"} else value


def find_difference(expected: Any, found: Any, place: str) -> str:
    """Returns a phrase such as `predictions[0].score: expected 0.5, found 0.7`, or "" when both are equal."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in [*expected, *(name for name in found if name not in expected)]:
            if name not in found or name not in expected:
                what = ("it", "no such key") if name in expected else ("no such key", "it")
                return f"{place}.{name}: expected {what[0]}, found {what[1]}"
            if difference := find_difference(expected[name], found[name], f"{place}.{name}"):
                return difference
        return ""
    if isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            return f"{place}: expected {count_items(expected)}, found {len(found)}"
        pairs = enumerate(zip(expected, found))
        return next(filter(None, (find_difference(one, two, f"{place}[{i}]") for i, (one, two) in pairs)), "")
    return "" if is_equal(expected, found) else f"{place}: expected {shorten(expected)}, found {shorten(found)}"


def is_equal(expected: Any, found: Any) -> bool:
    if is_number(expected) and is_number(found):
        return math.isclose(expected, found, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE)
    return type(expected) is type(found) and expected == found


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def count_items(items: list) -> str:
    return "1 item" if len(items) == 1 else f"{len(items)} items"


def shorten(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
