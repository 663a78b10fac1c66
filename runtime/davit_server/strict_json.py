"""JSON as the standard has it, both ways: no NaN, no Infinity."""

from __future__ import annotations

import json
from typing import Any

CANNOT = "The model's answer cannot be written as JSON"


class InvalidOutput(Exception):
    """The model's answer is not a value that JSON can carry."""


def parse_strictly(text: str) -> Any:
    """ValueError when it is not JSON, and RecursionError when it is nested too deeply."""
    return DECODER.decode(text)


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


DECODER = json.JSONDecoder(parse_constant=refuse_constant)


def write_strictly(value: object, encoder: type[json.JSONEncoder], nan: str) -> str:
    """`nan`: "error" refuses NaN and the infinities, "null" writes null in their place. Raises InvalidOutput."""
    try:
        return json.dumps(value, cls=encoder, allow_nan=False)
    except ValueError:  # NaN, or something that holds itself: the next line tells them apart
        loose = write_loosely(value, encoder)
    except (TypeError, RecursionError) as error:
        raise InvalidOutput(f"{CANNOT}: {error}") from error
    if nan != "null":
        raise InvalidOutput(f"{CANNOT}: it holds NaN or an infinity")
    return json.dumps(json.loads(loose, parse_constant=lambda _: None))


def write_loosely(value: object, encoder: type[json.JSONEncoder]) -> str:
    try:
        return json.dumps(value, cls=encoder)
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidOutput(f"{CANNOT}: {error}") from error
