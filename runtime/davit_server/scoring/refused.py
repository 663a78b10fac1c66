"""The exception for a request that is refused because of its content."""

from __future__ import annotations


class Refused(Exception):
    """The request is at fault. It has an HTTP status, MLflow's error code and a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def make_bad_request(message: str) -> Refused:
    return Refused(400, "BAD_REQUEST", f"Invalid input. {message}")
