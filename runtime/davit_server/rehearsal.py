"""The model's own example, predicted in a fork before it serves, and again when whoever deploys it asks."""

from __future__ import annotations

import json
import traceback

from .log import log
from .stages import describe_failure


def try_example(scorer, options: dict) -> bytes:
    """Shows that a fork can predict what the loading process could. Empty, or the failure."""
    try:
        scorer.check(scorer.predict("json", scorer.example))
    except Exception as error:
        traceback.print_exc()
        if options["warm"] == "required":
            return json.dumps(describe_failure("predict", error, options["model"], trace=False)).encode()
    return b""


def answer_example(scorer, options: dict, request_id: str) -> tuple[int, bytes]:
    """Status and body. The example is the model's own, so what is wrong may be said, and is never a 4xx."""
    if scorer.example is None:
        return 501, error_body("NOT_IMPLEMENTED", "The model has no example of its own.")
    try:
        answer = scorer.predict("json", scorer.example)
        scorer.check(answer)
        return 200, answer.encode()
    except Exception as error:
        log("model error", request=request_id, status=500, trace=traceback.format_exc())
        failure = describe_failure("predict", error, options["model"], trace=False)
        return 500, error_body("EXAMPLE_FAILED", f"The model fails its own example. {failure['message']}")


def error_body(code: str, message: str) -> bytes:
    return json.dumps({"error_code": code, "message": message}).encode()
