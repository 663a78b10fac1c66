"""Predicts one input with one model, as the server answers it, and writes the whole answer.

python -m davit_server.predict --model DIRECTORY --input FILE --content-type json|csv [--nan error|null]

Writes one JSON document to stdout; what the model prints goes to stderr. Exit code 0 when there is an answer, else 1.
"""

from __future__ import annotations

import argparse
import contextlib
import traceback
from collections import Counter
from pathlib import Path
from typing import Callable

from .failures.stages import Stages, describe_failure
from .run_once import add_model_options, describe_run, load_scorer, parse_options, run_document


def main() -> None:
    run_document(read_options(), predict)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="davit_server.predict", description=__doc__.partition("\n")[0])
    add_model_options(parser)
    parser.add_argument("--input", required=True, help="a file with a request body")
    parser.add_argument("--content-type", choices=("json", "csv"), required=True, help="the format of --input")
    return parse_options(parser, "model", "input")


def predict(options: argparse.Namespace, folder: str, on_stage: Callable[[str], object]) -> dict:
    """Returns the document: the stages, and the answer or the failure.

    `refused` is the sentence that a client would get when the input is at fault, else None. `replaced` counts the
    numbers of the answer that are null because they are not JSON, by their names.
    """
    stages, scorer, body = Stages(on_stage), None, b""
    replaced: Counter[str] = Counter()
    document = {"failed": None, "refused": None, "mlflow": None, "answer": None}
    try:
        scorer = load_scorer(options, folder, stages)
        document["mlflow"] = scorer.version
        scorer.replace_nan = lambda name: replaced.update((name,))
        body = Path(options.input).read_bytes()
        with stages("predict"):
            document["answer"] = scorer.predict(options.content_type, body)
    except BaseException as error:  # a model may raise anything, SystemExit too
        document["failed"] = describe_failure(stages.name, error, options.model)
        if stages.name == "predict":
            document["refused"] = find_refusal(scorer, error, options.content_type, body)
        if document["refused"] is None:
            traceback.print_exc()
    document["replaced"] = replaced
    return {**document, **describe_run(stages)}


def find_refusal(scorer, error: BaseException, kind: str, body: bytes) -> str | None:
    with contextlib.suppress(Exception):
        status, _, message = scorer.describe(error, kind, body)
        return message if status < 500 else None
    return None


if __name__ == "__main__":
    main()
