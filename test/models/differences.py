"""The differences between Davit's answers and those of MLflow's server that are decisions (DECISIONS.md), by name."""

from __future__ import annotations

import json

NAN_ANSWER = "NaN is not JSON: an answer with it is an error (with nan: null it is equal to MLflow's, with null)"
NAN_REQUEST = "NaN is not JSON: a request with it is refused"
NO_CONTENT_TYPE = "a request without a content type is the client's fault: 415, not 500"
CAPITALS = "names of parameters in a content type have no case (RFC 9110): accepted, not 415"
CLIENT = "a request that the model or MLflow cannot use is the client's fault: 4xx, not 500"
MODEL = "an exception of the model is the model's fault: 500, not 400"
CSV = "a CSV table may have columns of dates, and may be a tensor: accepted, not 400"
ENCODING = "a body in UTF-16, or with a byte order mark, is read as by MLflow 3, whatever the model's MLflow: accepted"
NOT_EVALUATED = "Encountered an unexpected error while evaluating the model"
NOT_PARSED = ("parse_dates", "TensorSpec only supports numpy types")


def find_decision(form: str, ours: tuple[int, str], theirs: tuple[int, str], ask_with_null) -> str | None:
    """Returns the decision that explains a difference, or None. `ask_with_null` asks Davit again with `nan: null`."""
    if "INVALID_OUTPUT" in ours[1] and theirs[0] == 200:
        again = ask_with_null()
        with_null = json.loads(theirs[1].replace('"NaT"', "null"), parse_constant=lambda name: None)
        return NAN_ANSWER if again[0] == 200 and json.loads(again[1]) == with_null else None
    if "is not JSON" in ours[1]:
        return NAN_REQUEST
    if (ours[0], theirs[0], form) == (415, 500, "no content type"):
        return NO_CONTENT_TYPE
    if form in ("BOM", "UTF-16") and ours[0] == 200 and theirs[0] in (400, 500):
        return ENCODING
    if theirs[0] == 415 and form.endswith("with capitals"):
        return CAPITALS
    if 400 <= ours[0] < 500 and theirs[0] == 500:
        return CLIENT
    if ours[0] == 500 and "The model raised" in ours[1] and theirs[0] == 400 and NOT_EVALUATED in theirs[1]:
        return MODEL
    accepted = ours[0] == 200 or "INVALID_OUTPUT" in ours[1]
    if accepted and theirs[0] == 400 and form.startswith("csv") and any(why in theirs[1] for why in NOT_PARSED):
        return CSV
    return None
