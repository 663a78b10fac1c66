"""Makes other requests from a model's example: forks that get the same request could mix up their answers unnoticed.

Python 3.8, standard library only.
"""

from __future__ import annotations

import json
from typing import Callable

ROWS = ("dataframe_split", "dataframe_records", "instances", "inputs")


def vary_request(body: bytes, number: int) -> bytes | None:
    """Returns the request with other numbers in its rows, or other texts if it has no numbers; None if it has neither.

    Another `number` gives other rows.
    """
    try:
        payload = json.loads(body)
    except ValueError:
        return None
    form = next((name for name in ROWS if name in payload), None) if isinstance(payload, dict) else None
    if form is None:
        return None
    split = form == "dataframe_split" and isinstance(payload[form], dict)
    rows = payload[form].get("data") if split else payload[form]
    for change in (change_number, change_text):
        varied = change_all(rows, number, change)
        if varied != rows:
            payload[form] = {**payload[form], "data": varied} if split else varied
            return json.dumps(payload).encode()
    return None


def change_all(value: object, number: int, change: Callable[[object, int], object]) -> object:
    """Changes every value in nested lists and objects, but no names of columns."""
    if isinstance(value, list):
        return [change_all(each, number, change) for each in value]
    if isinstance(value, dict):
        return {name: change_all(each, number, change) for name, each in value.items()}
    return change(value, number)


def change_number(value: object, number: int) -> object:
    """Returns another number of the same type."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return value + number if isinstance(value, int) else value + number / 16 * max(1.0, abs(value))


def change_text(value: object, number: int) -> object:
    return f"{value} {number}" if isinstance(value, str) else value
