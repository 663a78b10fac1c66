"""Formats values for messages, short and with their type."""

from __future__ import annotations

from typing import Any

SHOWN_CHARACTERS = 40


def format_value(value: Any) -> str:
    """Returns a phrase such as `string "high"`, `number 1.5`, `null` or `a list`."""
    if isinstance(value, bool) or value is None:
        return "null" if value is None else str(value).lower()
    if isinstance(value, (int, float)):
        return f"number {value}"
    if isinstance(value, str):
        return f'string "{value[:SHOWN_CHARACTERS]}{"…" if len(value) > SHOWN_CHARACTERS else ""}"'
    return "a list" if isinstance(value, list) else "an object"


def list_names(value: dict) -> str:
    """Returns a phrase with the names in an object, or `nothing`."""
    return "only " + ", ".join(f'"{name}"' for name in value) if value else "nothing"
