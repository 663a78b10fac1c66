"""Checks the answer to a case (cases.py) against the signature and the expected answer."""

from __future__ import annotations

from .cases import Case
from .compare_answer import check_expected


def check_answer(scorer, case: Case, answer: str) -> None:
    """Raises SignatureMismatch or UnexpectedAnswer when the answer is not what the signature or the case says."""
    scorer.check(answer)
    for expected in case.expected:
        check_expected(expected, answer)
