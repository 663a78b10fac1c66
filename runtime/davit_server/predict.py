"""Predicts one input with one model, as the server answers it, and writes the whole answer.

python -m davit_server.predict --model DIRECTORY --input FILE --content-type json|csv [--nan error|null]

Writes one JSON document to stdout; what the model prints goes to stderr. Exit code 0 when there is an answer, else 1.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Callable

from .failures.stages import Stages, describe_failure
from .files.own_folder import MODEL, OwnFolder, enter_folder
from .prove import UncompiledModules, end_children, read_peak_bytes
from .scoring.import_scorer import import_scorer


def main() -> int:
    options = read_options()
    sys.path[:] = [place for place in sys.path if place not in ("", os.getcwd())]  # put there by `python -m`
    stdout = os.dup(1)
    os.dup2(2, 1)
    faulthandler.enable()
    uncompiled = UncompiledModules()

    def write_line(line: dict) -> None:
        with os.fdopen(os.dup(stdout), "w", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")

    def on_stage(name: str) -> None:
        """Writes the stage as it begins, because a process that the model kills writes no document."""
        write_line({"began": name})
        if files := uncompiled.find_new():
            write_line({"imported": files})

    folder = OwnFolder()
    document = predict(options, folder.path, on_stage)
    folder.remove()
    if files := uncompiled.find_new():
        write_line({"imported": files})
    write_line(document)
    for stream in (sys.stdout, sys.stderr):  # os._exit would lose buffered output of the model
        stream.flush()
    end_children()
    os._exit(1 if document["failed"] else 0)  # a thread of the model must not keep this process alive


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

    `refused` is the sentence that a client would get when the input is at fault, else None.
    """
    stages, scorer, body = Stages(on_stage), None, b""
    document = {"stages": [], "failed": None, "refused": None, "mlflow": None, "answer": None}
    try:
        enter_folder(folder, MODEL)
        with stages("import"):
            Scorer = import_scorer()
        with stages("load"):
            scorer = Scorer(options.model, options.nan)
        document["mlflow"] = scorer.version
        body = Path(options.input).read_bytes()
        with stages("predict"):
            document["answer"] = scorer.predict(options.content_type, body)
    except BaseException as error:  # a model may raise anything, SystemExit too
        document["failed"] = describe_failure(stages.name, error, options.model)
        if stages.name == "predict":
            document["refused"] = find_refusal(scorer, error, options.content_type, body)
        if document["refused"] is None:
            traceback.print_exc()
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
