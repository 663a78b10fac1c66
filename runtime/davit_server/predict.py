"""Predicts one input with one model, as the server answers it, and writes the whole answer.

python -m davit_server.predict --model DIRECTORY --input FILE --content-type json|csv [--nan error|null]

Writes one JSON document to stdout; what the model prints goes to stderr. Exit code 0 when there is an answer, else 1.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import traceback
from collections import Counter
from pathlib import Path
from typing import Callable

from .failures.stages import Stages, describe_failure
from .files.own_folder import MODEL, enter_folder
from .run_once import Output, read_peak_bytes, run_once
from .scoring.import_scorer import import_scorer


def main() -> None:
    options = read_options()

    def run(folder: str, output: Output) -> dict:
        document = predict(options, folder, output.begin_stage)
        output.write_imports()
        return document

    run_once(run)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="davit_server.predict", description=__doc__.partition("\n")[0])
    parser.add_argument("--model", required=True, help="the model's directory (with MLmodel)")
    parser.add_argument("--input", required=True, help="a file with a request body")
    parser.add_argument("--content-type", choices=("json", "csv"), required=True, help="the format of --input")
    parser.add_argument("--nan", choices=("error", "null"), default="error", help="what NaN in an answer becomes")
    options = parser.parse_args()
    for name in ("model", "input"):  # made absolute, because the working directory changes
        setattr(options, name, os.path.abspath(getattr(options, name)))
    return options


def predict(options: argparse.Namespace, folder: str, on_stage: Callable[[str], object]) -> dict:
    """Returns the document: the stages, and the answer or the failure.

    `refused` is the sentence that a client would get when the input is at fault, else None. `replaced` counts the
    numbers of the answer that are null because they are not JSON, by their names.
    """
    stages, scorer, body = Stages(on_stage), None, b""
    replaced: Counter[str] = Counter()
    document = {"stages": [], "failed": None, "refused": None, "mlflow": None, "answer": None}
    try:
        enter_folder(folder, MODEL)
        with stages("import"):
            Scorer = import_scorer()
        with stages("load"):
            scorer = Scorer(options.model, options.nan)
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
    document["stages"] = [{"name": name, "seconds": seconds} for name, seconds in stages.seconds.items()]
    document["peak_memory_bytes"] = read_peak_bytes()
    return document


def find_refusal(scorer, error: BaseException, kind: str, body: bytes) -> str | None:
    with contextlib.suppress(Exception):
        status, _, message = scorer.describe(error, kind, body)
        return message if status < 500 else None
    return None


if __name__ == "__main__":
    main()
