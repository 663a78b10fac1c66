"""MLflow's messages quote the whole input; what goes into an answer or a report is only what is wrong with it."""

from __future__ import annotations

import re

ECHOES = (
    re.compile(r" [`'\"].*?[`'\"](?= to type `| with (?:spec|dtype|schema) )", re.DOTALL),
    re.compile(r" for value `.*`", re.DOTALL),  # greedy: rather too much than a piece of the data
)
REASON = re.compile(r"\.? Error: .*", re.DOTALL)
MESSAGE_CHARACTERS = 500


def without_data(message: str) -> str:
    """A message of an MlflowException, short and without pieces of the input."""
    if message.startswith("Failed to enforce schema"):
        message = message.rpartition(". Error: ")[2]
    elif message.startswith("Invalid input. Data is not compatible"):
        message = REASON.sub(".", message)
    for echo in ECHOES:
        message = echo.sub("", message)
    return message[:MESSAGE_CHARACTERS]
