"""Makes other requests from a model's example: forks that get the same request could mix up their answers unnoticed.

Python 3.8, standard library only.
"""

from __future__ import annotations

import json
from typing import Callable

ROWS = ("dataframe_split", "dataframe_records", "instances", "inputs")
PROMPTS, TEXTS = ("messages", "prompt", "input"), ("content", "text")
"""The keys of a bare request for a language model, and those of the texts in its messages."""


def vary_request(body: bytes, number: int) -> bytes | None:
    """Returns the request with other numbers in its rows, or other texts if it has no numbers, or else more rows.

    In a bare request for a language model, the texts of its prompt change. None if nothing can change. Another `number`
    gives another request.
    """
    try:
        payload = json.loads(body)
    except ValueError:
        return None
    if not isinstance(payload, dict):
        return None
    form = next((name for name in ROWS if name in payload), None)
    if form is None:
        return dump_varied(payload, {name: change_prompt(payload[name], number) for name in PROMPTS if name in payload})
    split = form == "dataframe_split" and isinstance(payload[form], dict)
    rows = payload[form].get("data") if split else payload[form]
    for change in (change_number, change_text):
        varied = change_all(rows, number, change)
        if varied != rows:
            return dump_varied(payload, {form: {**payload[form], "data": varied} if split else varied})
    if not isinstance(rows, list) or not rows:
        return None
    varied = [rows[i % len(rows)] for i in range(len(rows) + number)]
    return dump_varied(payload, {form: {**payload[form], "data": varied} if split else varied})


def dump_varied(payload: dict, varied: dict) -> bytes | None:
    changed = {**payload, **varied}
    return None if changed == payload else json.dumps(changed).encode()


def change_prompt(value: object, number: int) -> object:
    """Changes the texts of a prompt or of messages, but neither roles nor other settings."""
    if isinstance(value, list):
        return [change_prompt(each, number) for each in value]
    if isinstance(value, dict):
        return {name: change_prompt(each, number) if name in TEXTS else each for name, each in value.items()}
    return change_text(value, number)


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
    """Returns a text that begins and ends differently, because a model may use only a part of it."""
    return f"{number} {value} {number}" if isinstance(value, str) else value
