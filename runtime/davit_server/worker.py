"""The loading process: loads the model, predicts its example, then becomes one worker or forks workers.

It runs in the model's virtualenv. The front sends commands over the control socket and receives events. Shared workers
are forks of this process; in every other mode the first command FORK makes this process itself the worker.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import sys
import traceback

from .failures.stages import Stages, describe_failure
from .files.own_folder import MODEL, enter_folder
from .files.write_locks import WriteLocks
from .processes.pass_sockets import receive_with_socket
from .processes.process_tree import adopt_orphans, die_with_parent, end_group, end_group_with, outlive_parent
from .protocol.send_event import send_event
from .protocol.wire import COMMAND, FORK, SHARED
from .scoring.import_scorer import import_scorer
from .sharing.predict_example import predict_example
from .sharing.try_forks import Prediction
from .sharing.worker_mode import WorkerMode
from .workers.answer_requests import answer_requests
from .workers.forker import Forker


def main() -> None:
    options = json.loads(sys.argv[1])
    die_with_parent(options["parent"])
    for descriptor in (options["control"], options["front"], options["locks"]):
        os.set_inheritable(descriptor, False)
    sys.path[:] = [place for place in sys.path if place not in ("", os.getcwd())]  # put there by `python -m`
    enter_folder(options["folder"], MODEL)
    control = socket.socket(fileno=options["control"])
    stages = Stages(lambda name: send_event(control, event="stage", stage=name))
    try:
        scorer, loaded = load(options, stages)
    except BaseException as error:  # a model may raise anything, even SystemExit
        traceback.print_exc()
        send_event(control, event="failed", **describe_failure(stages.name, error, options["model"], trace=False))
        sys.stderr.flush()
        os._exit(1)
    send_event(control, event="loaded", mlflow=scorer.version, seconds=stages.seconds, **loaded)
    serve = fork_workers if loaded["worker_mode"] == SHARED else run_as_worker
    try:
        serve(control, scorer, options)
    except (EOFError, ConnectionError):
        pass
    finally:
        end_group()  # the front has ended


def fork_workers(control: socket.socket, scorer, options: dict) -> None:
    adopt_orphans()  # in a container the front is process 1 and would not reap them
    outlive_parent()  # from here on this process ends its workers when the control socket closes
    forker = Forker(control, scorer, options)
    try:
        forker.run()
    finally:
        forker.end_workers()


def run_as_worker(control: socket.socket, scorer, options: dict) -> None:
    record, connection = receive_with_socket(control, COMMAND.size)
    if record and COMMAND.unpack(record)[0] == FORK and connection is not None:
        end_group_with(options["front"])
        answer_requests(connection, scorer, options, os.path.join(options["folder"], MODEL))


def load(options: dict, stages: Stages):
    """Returns the scorer and the fields of the event `loaded`. Raises what the model raises, or ForkFailed.

    The fields are rehearsed, fast, why, worker_mode and found (see "Log" in runtime/README.md).
    """
    mode = WorkerMode(options["mode"], options["folder"])
    with stages("import"):
        Scorer = import_scorer()
    locks = WriteLocks(options["locks"], os.path.join(options["folder"], MODEL))
    with stages("load"), locks.hold():
        scorer = Scorer(options["model"], options["nan"])
    with locks.hold(options["fixed_files"]):
        prediction, why = try_example(scorer, options, stages, mode)
    # Workers that load the model at the same time see each other's files, so the first one's findings are added.
    options["fixed_files"] = sorted({*options["fixed_files"], *mode.fixed_files})
    with stages("workers"):
        decided = mode.decide(scorer, prediction, options["workers"], options["threads"])
    gc.collect()
    gc.freeze()
    loaded = {"rehearsed": prediction is not None, "fast": scorer.fast.usable and prediction is not None, "why": why}
    loaded["fixed_files"] = options["fixed_files"]
    return scorer, {**loaded, "worker_mode": decided["mode"], "found": decided["found"]}


def try_example(scorer, options: dict, stages: Stages, mode: WorkerMode) -> tuple[Prediction | None, str]:
    """Returns the example with its answer, or None and the reason why there is no answer."""
    if scorer.example is None:
        return None, "the model has no input example"
    try:
        prediction = predict_example(scorer, stages, mode, "json", scorer.example)
        with stages("signature"):
            scorer.check(prediction.answer)
        return prediction, ""
    except Exception as error:
        if options["warm"] == "required":
            raise
        traceback.print_exc()
        return None, describe_failure(stages.name, error, options["model"], trace=False)["message"]


if __name__ == "__main__":
    main()
