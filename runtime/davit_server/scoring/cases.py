"""What a model predicts before it serves (choose_cases.py). Standard library only: `prove` needs it before MLflow."""

from __future__ import annotations

import json
from typing import NamedTuple

ENDPOINT, EXAMPLE, SIGNATURE, REQUEST = "endpoint", "example", "signature", "request"
"""The origins of a case: the endpoint file, the model's example, its signature, and `--input` of the proof."""


class Case(NamedTuple):
    """A request body of the kind "json" or "csv". `expected` is a list with the expected answer, or empty."""

    origin: str
    name: str
    kind: str
    body: bytes
    expected: list

    def describe(self) -> str:
        """Returns a phrase for the case that follows "the model fails"."""
        named = {ENDPOINT: f'the validation case "{self.name}"', SIGNATURE: "an input made from its signature"}
        return named.get(self.origin, "its own example")


def parse_cases(text: str) -> list[Case]:
    """Parses `[{"name", "content_type": "json|csv", "input": body, "expect"?: answer}]`."""
    return [
        Case(
            ENDPOINT,
            case["name"],
            case["content_type"],
            case["input"].encode(),
            [case["expect"]] if "expect" in case else [],
        )
        for case in json.loads(text)
    ]
