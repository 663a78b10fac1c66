"""Predicts several inputs with one model, as the server answers them, to compare two versions of a model.

python -m davit_server.answer --model DIRECTORY --inputs FILE [--nan error|null] [--cases JSON]

FILE has a JSON list of `{"kind": "json|csv", "body": text}`; for an empty list, the model predicts an input made from
its signature. Writes one JSON document to stdout; what the model prints goes to stderr. Exit code 1 when the model does
not load.

The proof of a model whose workers share memory answers the same file in a fork (prove.py). Both answer as a worker of
the server does that has just started, with one thread, so that their answers and times can be compared.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import time
import traceback
from pathlib import Path
from typing import Any, Callable

from .failures.stages import Stages, describe_failure
from .predict import find_refusal
from .processes.threads import make_single_thread_environment
from .run_once import add_model_options, describe_run, load_scorer, parse_options, run_document

MOST_ANSWER_BYTES = 1 << 20
REPEATED_SECONDS = 1.0
"""An input that takes less is predicted again, because the first prediction of a process is often the slowest."""


def main() -> None:
    run_document(read_options(), answer)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="davit_server.answer", description=__doc__.partition("\n")[0])
    add_model_options(parser)
    parser.add_argument("--inputs", required=True, help="a file with a JSON list of request bodies")
    parser.add_argument("--cases", default="", help="the cases of the endpoint file, as for the server")
    return parse_options(parser, "model", "inputs")


def answer(options: argparse.Namespace, folder: str, on_stage: Callable[[str], object]) -> dict:
    """Returns the document: the stages, and the answer or the failure of each input."""
    stages = Stages(on_stage)
    document: dict[str, Any] = {"failed": None, "mlflow": None, "inputs": []}
    try:
        os.environ.update(make_single_thread_environment())  # before the numeric libraries are loaded
        given = read_inputs(options.inputs)
        scorer = load_scorer(options, folder, stages, options.cases)
        document["mlflow"] = scorer.version
        with stages("predict"):
            predict_own_cases(scorer)
            document["inputs"] = answer_inputs(scorer, given or [(case.kind, case.body) for case in scorer.cases])
    except BaseException as error:  # a model may raise anything, SystemExit too
        document["failed"] = describe_failure(stages.name, error, options.model)
        traceback.print_exc()
    return {**document, **describe_run(stages)}


def read_inputs(file: str) -> list[tuple[str, bytes]]:
    """Returns the kind and the body of each input."""
    return [(one["kind"], one["body"].encode()) for one in json.loads(Path(file).read_text(encoding="utf-8"))]


def predict_own_cases(scorer: Any) -> None:
    """Predicts what the server predicts before it takes requests, because the first prediction is often the slowest."""
    for case in scorer.cases:
        with contextlib.suppress(BaseException):  # a failure is reported where the same input is compared
            scorer.predict(case.kind, case.body)


def answer_inputs(scorer: Any, inputs: list[tuple[str, bytes]]) -> list[dict]:
    """Returns `{"body", "answer", "why", "seconds", "varies"}` for each input."""
    scorer.fast.usable = False  # only a proof has tried the fast path, so it would make one version faster
    return [answer_input(scorer, kind, body) for kind, body in inputs]


def answer_input(scorer: Any, kind: str, body: bytes) -> dict:
    """Returns the answer and the time of one input. A failure is a result like any other."""
    result = {"body": body.decode(), "answer": None, "why": None, "seconds": 0.0, "varies": False}
    try:
        first, result["seconds"] = predict_timed(scorer, kind, body)
        if result["seconds"] < REPEATED_SECONDS:
            second, seconds = predict_timed(scorer, kind, body)
            result["seconds"], result["varies"] = min(result["seconds"], seconds), first != second
        if len(first.encode()) > MOST_ANSWER_BYTES:
            result["why"] = f"its answer has {len(first.encode())} bytes, expected at most {MOST_ANSWER_BYTES}"
        else:
            result["answer"] = first
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        refusal = find_refusal(scorer, error, kind, body)
        result["why"] = refusal or describe_failure("predict", error, scorer.path, trace=False)["message"]
        if refusal is None:
            traceback.print_exc()
    return result


def predict_timed(scorer: Any, kind: str, body: bytes) -> tuple[str, float]:
    started = time.perf_counter()
    answered = scorer.predict(kind, body)
    return answered, round(time.perf_counter() - started, 6)


if __name__ == "__main__":
    main()
