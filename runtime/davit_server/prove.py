"""Proves one model as the server runs it: import, load, predict, check of the answer, choice of the worker mode.

python -m davit_server.prove --model DIRECTORY [--input FILE --content-type json|csv] [--output FILE] [--nan error|null]
    [--cases JSON] [--workers 4] [--worker-mode found|shared|separate|one] [--inputs FILE]

Writes one JSON document to stdout; what the model prints goes to stderr. Exit code 0 when it is proved, else 1.

With --inputs, a model whose workers share memory also answers the inputs of a comparison (answer.py). The document is
then written before they are predicted, and as the last line again; the line between has the answers.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

from .answer import answer_inputs, read_inputs
from .failures.stages import Stages, describe_failure
from .files.own_folder import MODEL, enter_folder
from .files.shared_files import describe_shared_files, find_shared_files
from .files.write_locks import WriteLocks
from .processes.connection_watch import ConnectionWatch
from .processes.loaded_libraries import list_system_libraries
from .processes.threads import count_processors, make_single_thread_environment
from .protocol.wire import FOUND, MODES, ONE, SEPARATE, SHARED
from .run_once import Output, add_model_options, describe_run, parse_options, read_peak_bytes, run_once
from .scoring.import_scorer import import_scorer
from .second_worker import LoadedOnce, rehearse_second_worker
from .sharing.predict_cases import predict_cases
from .sharing.try_forks import LIMIT_FACTOR, LIMIT_SECONDS, Prediction, run_forks_once
from .sharing.worker_mode import DIFFERENT_LOADS, WorkerMode, digest_answer

SHOWN_BYTES = 2048
MOST_WARNINGS = 50

SECOND_LOAD_SECONDS, SECOND_LOAD_FACTOR = 60.0, 20
"""Time limit of the second load: so many seconds, or so many times the first load."""

NOISE = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)


def main() -> None:
    options = read_options()

    run_once(lambda folder, output: prove(options, folder, output))


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="davit_server.prove", description=__doc__.partition("\n")[0])
    add_model_options(parser)
    parser.add_argument("--input", help="a request body to predict instead of the model's example")
    parser.add_argument("--content-type", choices=("json", "csv"), default="json", help="the format of --input")
    parser.add_argument("--cases", default="", help="the cases of the endpoint file, as for the server")
    parser.add_argument("--output", help="a file for the whole answer")
    parser.add_argument("--workers", type=int, default=1, help="the number of workers that the server will have")
    parser.add_argument("--worker-mode", choices=MODES, default=FOUND, help="the worker mode of the server")
    parser.add_argument("--inputs", help="a file with request bodies that are answered after the proof")
    return parse_options(parser, "model", "input", "output", "inputs")


def prove(options: argparse.Namespace, folder: str, output: Output) -> dict:
    """Runs the stages. Returns the proof document (runtime/README.md), or writes it when a prediction hangs.

    `folder` is the temporary folder of this process. Writes the whole answer to `options.output`.
    """
    stages, proof, records, prediction = Stages(output.begin_stage), make_empty_proof(), [], None

    def end_hanging(decide: Callable[[], dict]) -> None:
        try:
            proof["workers"] = decide()
        except LoadedOnce as error:
            proof["failed"] = describe_failure(stages.name, error, options.model)
        output.end(finish_proof(proof, records, stages))

    locks_file = tempfile.TemporaryFile()  # noqa: SIM115  # until this process ends
    try:
        if options.worker_mode in (FOUND, SHARED):  # as the server does, before the numeric libraries are loaded
            os.environ.update(make_single_thread_environment())
        enter_folder(folder, MODEL)
        mode = WorkerMode(options.worker_mode, folder)
        with stages("import"):
            Scorer = import_scorer()
        locks = WriteLocks(locks_file.fileno(), mode.own_folder)
        connections = ConnectionWatch()
        with stages("load"), locks.hold(is_loading=True), record_warnings(proof["warnings"]):
            scorer = Scorer(options.model, options.nan, options.cases)
        proof["mlflow"], proof["load_memory_bytes"] = scorer.version, read_resident_bytes()
        if options.input:
            scorer.set_request(options.content_type, Path(options.input).read_bytes())
        with locks.hold():
            prediction = predict_cases(scorer, stages, mode, records)
        if prediction and options.output:
            Path(options.output).write_text(prediction.answer, encoding="utf-8")
        proof["libraries"] = list_system_libraries(options.model, folder, sys.prefix)
        with stages("workers"):
            proof["workers"] = decide_workers(options, scorer, prediction, mode, locks, connections, end_hanging)
    except BaseException as error:  # a model may raise anything, SystemExit too
        traceback.print_exc()
        proof["failed"] = describe_failure(stages.name, error, options.model)
    document = finish_proof(proof, records, stages)
    if options.inputs and prediction and not proof["failed"] and proof["workers"]["mode"] == SHARED:
        output.write_line(document)  # first, because a limit may end this process
        output.write_line({"answered": answer_in_fork(options.inputs, scorer, prediction, document, folder)})
    return document


def answer_in_fork(file: str, scorer, prediction: Prediction, document: dict, folder: str) -> dict | None:
    """Returns the document that answer.py writes about the inputs in `file`; None when the fork fails or hangs.

    The answers come from a fork, as those of the server do, and nothing that the model does there changes the proof.
    """

    def answer() -> dict:
        return {"failure": "", "inputs": answer_inputs(scorer, inputs), "peak_memory_bytes": read_peak_bytes()}

    try:
        inputs = read_inputs(file)
        limit = LIMIT_SECONDS + 2 * LIMIT_FACTOR * prediction.seconds * len(inputs)  # each is predicted twice
        results, _ = run_forks_once([answer], limit, folder)
    except Exception:
        traceback.print_exc()
        return None
    fields = {name: document[name] for name in ("failed", "mlflow", "stages")}
    peak = document["peak_memory_bytes"]
    return next(({**fields, **r, "peak_memory_bytes": max(peak, r["peak_memory_bytes"])} for r in results), None)


def finish_proof(proof: dict, records: list[dict], stages: Stages) -> dict:
    cases = [{**record, "answer": shorten(record["answer"])} for record in records]
    answer = next((case["answer"] for case in cases if case["answer"] is not None), None)
    return {**proof, "cases": cases, "answer": answer, **describe_run(stages)}


def decide_workers(
    options: argparse.Namespace,
    scorer,
    prediction: Prediction | None,
    mode: WorkerMode,
    locks: WriteLocks,
    connections: ConnectionWatch,
    on_hang: Callable[[Callable[[], dict]], object],
) -> dict:
    """Returns `{"mode", "found"}`: what the server will decide and find. Raises LoadedOnce or ForkFailed.

    If a prediction hangs, calls `on_hang` with a function that does so (see second_worker.py).
    """
    threads, is_found = max(1, count_processors() // options.workers), options.worker_mode == FOUND
    decided = mode.decide(scorer, prediction, options.workers, threads)

    def combine(together: str) -> dict:
        decided_mode = ONE if together == DIFFERENT_LOADS else decided["mode"]
        return {"mode": decided_mode, "found": [*decided["found"], *([together] if together else [])]}

    locks.find_open_files()
    written = {*locks.kept, *mode.fixed_files}
    if decided["mode"] == SHARED:
        together = describe_shared_files(find_shared_files([written], options.workers))
    elif decided["mode"] == SEPARATE and options.workers > 1:
        second = {name: getattr(options, name) for name in ("model", "nan", "cases", "workers")}
        second.update(
            threads=threads, fixed_files=mode.fixed_files, written_files=sorted(written), found=decided["found"]
        )
        second["is_tried"] = is_found and (connections.stop() or mode.has_connections or mode.has_written)
        second["answer"] = digest_answer(prediction) if is_found and not options.input else None
        second["limit"] = max(SECOND_LOAD_SECONDS, SECOND_LOAD_FACTOR * (time.monotonic() - mode.started))
        together = rehearse_second_worker(
            second, mode.folder, scorer, locks, lambda find: on_hang(lambda: combine(find()))
        )
    else:
        together = ""
    return combine(together)


def shorten(answer: str | None) -> str | None:
    return answer and answer.encode()[:SHOWN_BYTES].decode(errors="ignore")


def make_empty_proof() -> dict:
    return {
        "failed": None,
        "answer": None,
        "cases": [],
        "workers": None,
        "load_memory_bytes": None,
        "mlflow": None,
        "warnings": [],
        "libraries": [],
    }


@contextlib.contextmanager
def record_warnings(found: list[dict[str, str]]) -> Iterator[None]:
    """Adds each warning once, without deprecations, because the lock pins the versions that they are about.

    The filters stay as the model sets them, which may make errors of warnings: its predictions depend on that.
    """
    show = warnings.showwarning

    def record(message: Warning | str, category: type[Warning], *more: object, **named: object) -> None:
        warning = {"category": category.__name__, "message": str(message)}
        if not issubclass(category, NOISE) and warning not in found and len(found) < MOST_WARNINGS:
            found.append(warning)

    warnings.showwarning = record
    try:
        yield
    finally:
        if warnings.showwarning is record:  # the model may have replaced it
            warnings.showwarning = show


def read_resident_bytes() -> int:
    """Returns the resident memory of this process in bytes; the peak where /proc is missing."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return read_peak_bytes()


if __name__ == "__main__":
    main()
