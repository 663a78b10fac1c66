"""Predicts the model's first case in a worker, for the request with the header x-davit-example."""

from __future__ import annotations

import json
import traceback

from ..failures.stages import describe_failure
from ..protocol.log import log
from ..scoring.check_case import check_answer

NOTHING = "The model has no example of its own."


def answer_example(scorer, options: dict, request_id: str) -> tuple[int, bytes]:
    """Returns HTTP status and JSON body: 200, 500 with the cause, or 501 when there is no case to predict.

    The cause may be named, because the case is the model's own and not a client's. For the same reason it is no 4xx.
    """
    if not scorer.cases:
        return 501, make_error_body("NOT_IMPLEMENTED", NOTHING)
    case = scorer.cases[0]
    try:
        answer = scorer.predict(case.kind, case.body)
        check_answer(scorer, case, answer)
        return 200, answer.encode()
    except Exception as error:
        log("model error", request=request_id, status=500, trace=traceback.format_exc())
        failure = describe_failure("predict", error, options["model"], trace=False)
        return 500, make_error_body("EXAMPLE_FAILED", f"The model fails {case.describe()}. {failure['message']}")


def make_error_body(code: str, message: str) -> bytes:
    return json.dumps({"error_code": code, "message": message}).encode()
