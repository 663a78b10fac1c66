"""Predicts the model's first case with other values, for the trial of workers that have loaded the model themselves."""

from __future__ import annotations

import hashlib

from ..sharing.vary_request import vary_request


def answer_trial(scorer, number: int) -> tuple[int, bytes]:
    """Returns 200 and a digest of the answer, or 501 where there is none."""
    case = scorer.cases[0] if scorer.cases else None
    body = vary_request(case.body, number) if case is not None and case.kind == "json" else None
    if body is None:
        return 501, b""
    try:
        return 200, hashlib.blake2b(scorer.predict(case.kind, body).encode(), digest_size=16).digest()
    except BaseException:  # also SystemExit; it is no request of a client, and the model may refuse the values
        return 501, b""
