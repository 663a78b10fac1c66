"""Proves one model in this process: import, load, predict, check of the answer. Runs in the model's virtualenv.

python -m davit_server.prove --model DIRECTORY [--input FILE --content-type json|csv] [--output FILE] [--nan error|null]

Writes one JSON document to stdout; what the model prints goes to stderr. Exit code 0 when it is proved, else 1.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import resource
import sys
import traceback
import warnings
from pathlib import Path
from typing import Callable

from .import_scorer import import_scorer
from .stages import Stages, describe_failure

SHOWN_BYTES = 2048
MOST_WARNINGS = 50
NOISE = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)


def main() -> int:
    options = read_options()
    sys.path[:] = [place for place in sys.path if place not in ("", os.getcwd())]  # put there by `python -m`
    stdout = os.dup(1)
    os.dup2(2, 1)
    faulthandler.enable()

    # A process that the model ends leaves no document; which stage it had begun is known all the same.
    proof, answer = prove(options, lambda name: os.write(stdout, json.dumps({"began": name}).encode() + b"\n"))
    if options.output and answer is not None:
        Path(options.output).write_text(answer, encoding="utf-8")
    with os.fdopen(stdout, "w", encoding="utf-8") as out:
        out.write(json.dumps(proof) + "\n")
    for stream in (sys.stdout, sys.stderr):  # what the model printed would be lost with os._exit
        stream.flush()
    os._exit(1 if proof["failed"] else 0)  # a thread of the model must not keep us


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="davit_server.prove", description=__doc__.partition("\n")[0])
    parser.add_argument("--model", required=True, help="the model's directory (with MLmodel)")
    parser.add_argument("--input", help="a request's body to predict, not the model's own example")
    parser.add_argument("--content-type", choices=("json", "csv"), default="json", help="what --input holds")
    parser.add_argument("--output", help="a file for the whole answer")
    parser.add_argument("--nan", choices=("error", "null"), default="error", help="what NaN in an answer becomes")
    return parser.parse_args()


def prove(options: argparse.Namespace, began: Callable[[str], object]) -> tuple[dict, str | None]:
    """The document, and the whole answer if there is one."""
    stages, proof, answer = Stages(began), empty_proof(), None
    try:
        with stages("import"):
            Scorer = import_scorer()
        with stages("load"), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                scorer = Scorer(os.path.abspath(options.model), options.nan)
            finally:
                proof["warnings"] = told_warnings(caught)
        proof["mlflow"], proof["load_memory_bytes"] = scorer.version, resident_bytes()
        body = Path(options.input).read_bytes() if options.input else scorer.example
        if body is not None:
            with stages("predict"):
                answer = scorer.predict(options.content_type if options.input else "json", body)
            proof["answer"] = answer.encode()[:SHOWN_BYTES].decode(errors="ignore")
            with stages("signature"):
                scorer.check(answer)
    except BaseException as error:  # a model may raise anything, SystemExit too
        traceback.print_exc()
        proof["failed"] = describe_failure(stages.name, error, options.model)
    proof["stages"] = [{"name": name, "seconds": seconds} for name, seconds in stages.seconds.items()]
    proof["peak_memory_bytes"] = peak_bytes()
    return proof, answer


def empty_proof() -> dict:
    return {
        "stages": [],
        "failed": None,
        "answer": None,
        "peak_memory_bytes": 0,
        "load_memory_bytes": None,
        "mlflow": None,
        "warnings": [],
    }


def told_warnings(caught: list[warnings.WarningMessage]) -> list[dict[str, str]]:
    """Each once, deprecations left out: the lock freezes what they warn of."""
    seen = {(w.category.__name__, str(w.message)): None for w in caught if not issubclass(w.category, NOISE)}
    return [{"category": category, "message": message} for category, message in seen][:MOST_WARNINGS]


def resident_bytes() -> int:
    """Memory of this process now."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return peak_bytes()


def peak_bytes() -> int:
    """The most memory this process has had; Linux counts in kilobytes, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main()
