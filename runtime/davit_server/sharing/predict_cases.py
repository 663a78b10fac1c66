"""Predicts a model's cases (scoring/cases.py), for the loading process and for the proof alike."""

from __future__ import annotations

import traceback

from ..failures.network_failure import needs_network
from ..failures.stages import Stages, describe_failure
from ..scoring.cases import ENDPOINT, REQUEST, SIGNATURE, Case
from ..scoring.check_case import check_answer
from .try_forks import Prediction
from .worker_mode import WorkerMode


def predict_cases(scorer, stages: Stages, mode: WorkerMode, records: list[dict]) -> Prediction | None:
    """Predicts every case and checks its answer. Returns the first prediction; None when there is none.

    Adds `{"origin", "name", "seconds", "answer", "why", "needs_network"}` to `records` for each case; `why` is None or
    its failure. A failure is raised, unless the input was made from the signature: then the model may be right to
    refuse it, and the case is dropped.
    """
    first = None
    for case in list(scorer.cases):
        record = {"origin": case.origin, "name": case.name, "seconds": 0.0, "answer": None, "why": None}
        record["needs_network"] = False
        records.append(record)
        try:
            prediction = predict_case(scorer, stages, mode, case, is_first=first is None)
        except BaseException as error:  # also SystemExit, and what Rust calls a panic
            record["why"] = describe_failure(stages.name, error, scorer.path, trace=False)["message"]
            record["needs_network"] = stages.name == "predict" and needs_network(error, scorer.path)
            if case.origin != SIGNATURE or isinstance(error, KeyboardInterrupt):
                raise
            traceback.print_exc()
            scorer.cases.remove(case)
            continue
        record["seconds"], record["answer"] = round(prediction.seconds, 3), prediction.answer
        first = first or prediction
    return first


def predict_case(scorer, stages: Stages, mode: WorkerMode, case: Case, is_first: bool) -> Prediction:
    """Predicts in the stage `predict`; the first case also verifies the fast path. Checks in the stage `signature`."""
    with stages("predict"):
        answer, seconds = mode.predict(lambda: scorer.predict(case.kind, case.body))
        if is_first and case.kind == "json" and case.origin != REQUEST:
            scorer.verify_fast_path(case.body, answer)
    with stages("signature"):
        check_answer(scorer, case, answer)
    return Prediction(case.kind, case.body, answer, seconds)


def explain_missing_prediction(records: list[dict]) -> str:
    """Returns why nothing was predicted, for a model that loaded."""
    if not records:
        return "the model has no input example"
    return f"the model has no input example, and an input made from its signature fails: {records[-1]['why']}"


def name_case(failure: dict, records: list[dict]) -> dict:
    """Adds the name of the validation case that failed, if any, to a description of its failure."""
    last = records[-1] if records else {"origin": "", "why": None}
    if last["origin"] != ENDPOINT or last["why"] is None:
        return failure
    return {**failure, "message": f'In the validation case "{last["name"]}": {failure["message"]}'}
