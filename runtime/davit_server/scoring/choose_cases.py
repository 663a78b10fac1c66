"""The one rule about what a model predicts before it serves.

It predicts the validation cases of its endpoint file; without any, its own example; without one, an input made from its
signature. A model with none of these is only loaded.
"""

from __future__ import annotations

from typing import Any

from .cases import EXAMPLE, SIGNATURE, Case, parse_cases
from .example import read_example
from .made_input import make_input
from .mlflow_adapter import has_type_hint_signature, read_input_columns


def choose_cases(model: str, metadata: Any, given: str) -> list[Case]:
    """Returns the cases in the order in which they are predicted. `given` is the option --cases, or empty."""
    if given:
        return parse_cases(given)
    example = read_example(model, metadata)
    if example is not None:
        return [Case(EXAMPLE, "", "json", example, [])]
    made = make_input(read_input_columns(metadata), has_type_hint_signature(metadata))
    return [] if made is None else [Case(SIGNATURE, "", "json", made, [])]
