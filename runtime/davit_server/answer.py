"""Predicts several inputs with one model, as the server answers them, to compare two versions of a model.

python -m davit_server.answer --model DIRECTORY --inputs FILE [--nan error|null]

FILE has a JSON list of `{"kind": "json|csv", "body": text}`; for an empty list, the model predicts an input made from
its signature. Writes one JSON document to stdout; what the model prints goes to stderr. Exit code 1 when the model does
not load.
"""

from __future__ import annotations

import argparse
import json
import time
import traceback
from pathlib import Path
from typing import Any, Callable

from .failures.stages import Stages, describe_failure
from .predict import find_refusal
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
    return parse_options(parser, "model", "inputs")


def answer(options: argparse.Namespace, folder: str, on_stage: Callable[[str], object]) -> dict:
    """Returns the document: the stages, and the answer or the failure of each input."""
    stages = Stages(on_stage)
    document: dict[str, Any] = {"failed": None, "mlflow": None, "inputs": []}
    try:
        given = json.loads(Path(options.inputs).read_text(encoding="utf-8"))
        scorer = load_scorer(options, folder, stages)
        document["mlflow"] = scorer.version
        inputs = [(one["kind"], one["body"].encode()) for one in given] or [(c.kind, c.body) for c in scorer.cases]
        with stages("predict"):
            document["inputs"] = [answer_input(scorer, kind, body) for kind, body in inputs]
    except BaseException as error:  # a model may raise anything, SystemExit too
        document["failed"] = describe_failure(stages.name, error, options.model)
        traceback.print_exc()
    return {**document, **describe_run(stages)}


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
