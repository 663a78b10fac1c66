"""Finds the value of an answer that JSON cannot have. Runs only when writing an answer has failed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

MAX_DEPTH = 200
MAX_NODES = 500_000
"""Of a larger answer, or of one that is nested more deeply, the place is not searched."""
KEY_CHARACTERS = 60
END = (None, None)
KEYS = (str, int, float, bool, type(None))


def find_unwritable(value: object, encoder: type[json.JSONEncoder]) -> str | None:
    """Names the first such value by its place and kind: `predictions[2].score is NaN`. Never shows other values."""
    default = encoder().default
    # Each entry has a container's place, its remaining values, and the containers around those.
    unfinished: list[tuple[str, Iterator, frozenset[int]]] = [("", iter([("", value)]), frozenset())]
    for _ in range(MAX_NODES):
        if not unfinished:
            return None
        place, items, around = unfinished[-1]
        step, each = next(items, END)
        if step is None:
            unfinished.pop()
            continue
        place += step
        wrong, inside = inspect(each, default, around)
        if wrong is not None:
            return f"{place.lstrip('.') or 'it'} {wrong}"
        if inside is not None and len(around) < MAX_DEPTH:
            unfinished.append((place, inside, around | {id(each)}))
    return None


def inspect(value: object, default, around: frozenset[int]) -> tuple[str | None, Iterator[tuple[str, object]] | None]:
    """What is wrong with a value itself, and what it contains, each with its step from here."""
    if value is None or isinstance(value, (str, bool, int)):
        return None, None
    if isinstance(value, float):
        return (None if math.isfinite(value) else f"is {name_number(value)}"), None
    if id(value) in around:
        return "contains itself", None
    if isinstance(value, dict):
        return inspect_key(value), ((f".{shorten(key)}", item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return None, ((f"[{i}]", item) for i, item in enumerate(value))
    try:
        return None, iter([("", default(value))])
    except Exception:
        return f"is of type {type(value).__name__}", None


def inspect_key(value: dict) -> str | None:
    wrong = next((key for key in value if not isinstance(key, KEYS)), None)
    return None if wrong is None else f"has a key of type {type(wrong).__name__}"


def name_number(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def shorten(key: object) -> str:
    text = str(key)
    return text if len(text) <= KEY_CHARACTERS else f"{text[:KEY_CHARACTERS]}…"
