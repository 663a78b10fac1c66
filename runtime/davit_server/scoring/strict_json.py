"""Reads and writes JSON as the standard defines it, without NaN and Infinity."""

from __future__ import annotations

import json
from typing import Any, Callable

from .find_unwritable import find_unwritable

CANNOT = "The model's answer cannot be written as JSON"


class InvalidOutput(Exception):
    """The model's answer cannot be written as JSON."""


def parse_strictly(text: str) -> Any:
    """Parses JSON. Raises ValueError for other text and RecursionError for text that is nested too deeply."""
    return DECODER.decode(text)


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


DECODER = json.JSONDecoder(parse_constant=refuse_constant)


def become_null(name: str) -> None:
    """What NaN, Infinity and -Infinity are read as."""


def write_strictly(
    value: object, encoder: type[json.JSONEncoder], nan: str, replace: Callable[[str], None] = become_null
) -> str:
    """Writes JSON. With `nan` "null", NaN and infinities become null; otherwise they raise InvalidOutput.

    `replace` gets the name of each that becomes null.
    """
    try:
        return json.dumps(value, cls=encoder, allow_nan=False)
    except ValueError:  # NaN, or a value that contains itself, for which the next line raises
        loose = write_loosely(value, encoder)
    except (TypeError, RecursionError) as error:
        raise explain(value, encoder, error) from error
    if nan != "null":
        raise explain(value, encoder, "it holds NaN or an infinity")
    return json.dumps(json.loads(loose, parse_constant=replace))


def write_loosely(value: object, encoder: type[json.JSONEncoder]) -> str:
    try:
        return json.dumps(value, cls=encoder)
    except (ValueError, TypeError, RecursionError) as error:
        raise explain(value, encoder, error) from error


def explain(value: object, encoder: type[json.JSONEncoder], why: object) -> InvalidOutput:
    """Names the place of the value. `why`: what is known where it cannot be found."""
    return InvalidOutput(f"{CANNOT}: {find_unwritable(value, encoder) or why}")
