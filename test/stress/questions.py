"""The requests of a stress run. Each has a different input, which is the same for MLflow and for the server."""

from __future__ import annotations

import json

ROWS = 10
COLUMNS = ["k", "a"]
HIGHEST = 25_000


def make_rows(number: int) -> list[list[float]]:
    """Returns rows in ascending order. No two requests below number 2,500 have a row in common."""
    return [[k % HIGHEST, k % 701 / 8] for k in range(number * ROWS, number * ROWS + ROWS)]


def make_body(number: int) -> bytes:
    return json.dumps({"dataframe_split": {"columns": COLUMNS, "data": make_rows(number)}}).encode()
