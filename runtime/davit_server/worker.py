"""The loading process: loads the model, predicts its cases, then becomes one worker or forks workers.

It runs in the model's virtualenv. The front sends commands over the control socket and receives events. Shared workers
are forks of this process; in every other mode the first command FORK makes this process itself the worker.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import socket
import sys
import traceback

from .failures.stages import Stages, describe_failure
from .files.own_folder import MODEL, enter_folder
from .files.write_locks import EVERYTHING, WriteLocks
from .processes.connection_watch import ConnectionWatch
from .processes.pass_sockets import receive_with_socket
from .processes.process_tree import adopt_orphans, die_with_parent, end_group, end_group_with, outlive_parent
from .protocol.send_event import send_event
from .protocol.wire import COMMAND, FORK, SHARED
from .scoring.import_scorer import import_scorer
from .sharing.predict_cases import explain_missing_prediction, name_case, predict_cases
from .sharing.try_forks import Prediction
from .sharing.worker_mode import WorkerMode, digest_answer
from .workers.answer_requests import answer_requests
from .workers.forker import Forker
from .workers.wait_notices import WaitNotices


def main() -> None:
    options = json.loads(sys.argv[1])
    die_with_parent(options["parent"])
    for descriptor in (options["control"], options["front"], options["locks"]):
        os.set_inheritable(descriptor, False)
    sys.path[:] = [place for place in sys.path if place not in ("", os.getcwd())]  # put there by `python -m`
    enter_folder(options["folder"], MODEL)
    faulthandler.enable()  # a crash of the model leaves its trace in the log; proofs have it, too
    control = socket.socket(fileno=options["control"])
    stages, records = Stages(lambda name: send_event(control, event="stage", stage=name)), []
    try:
        scorer, locks, loaded = load(options, stages, records, control)
    except BaseException as error:  # a model may raise anything, even SystemExit
        traceback.print_exc()
        failure = describe_failure(stages.name, error, options["model"], trace=False)
        send_event(control, event="failed", **name_case(failure, records))
        sys.stderr.flush()
        os._exit(1)
    send_event(control, event="loaded", mlflow=scorer.version, seconds=stages.seconds, **loaded)
    try:
        if loaded["worker_mode"] == SHARED:
            fork_workers(control, scorer, options, locks)
        else:
            run_as_worker(control, scorer, options, locks)
    except (EOFError, ConnectionError):
        pass
    finally:
        end_group()  # the front has ended


def fork_workers(control: socket.socket, scorer, options: dict, locks: WriteLocks) -> None:
    adopt_orphans()  # in a container the front is process 1 and would not reap them
    outlive_parent()  # from here on this process ends its workers when the control socket closes
    forker = Forker(control, scorer, options, locks)
    try:
        forker.run()
    finally:
        forker.end_workers()


def run_as_worker(control: socket.socket, scorer, options: dict, locks: WriteLocks) -> None:
    record, connection = receive_with_socket(control, COMMAND.size)
    if record and COMMAND.unpack(record)[0] == FORK and connection is not None:
        end_group_with(options["front"])
        answer_requests(connection, scorer, options, locks, os.path.join(options["folder"], MODEL))


def load(options: dict, stages: Stages, records: list[dict], control: socket.socket):
    """Returns the scorer, the locks of its process and the fields of the event `loaded`.

    Raises what the model raises, or ForkFailed. The fields are rehearsed, origin, fast, why, worker_mode and found (see
    "Log" in runtime/README.md), fixed_files, written_files: what each prediction locks, answer: a digest of the first
    one, and has_outside: whether the model may reach what other processes reach, too. `records` gets the fields of the
    predicted cases.
    """
    mode = WorkerMode(options["mode"], options["folder"])
    with stages("import"):
        Scorer = import_scorer()
    locks = WriteLocks(options["locks"], os.path.join(options["folder"], MODEL))
    # Waiting for predictions of others takes as long as they do.
    notices = WaitNotices(lambda waits: send_event(control, event="waiting" if waits else "working"), is_allowed=True)
    locks.names.on_wait = notices.report
    connections = ConnectionWatch()
    with stages("load"), locks.hold(is_loading=True):
        scorer = Scorer(options["model"], options["nan"], options["cases"])
    with locks.hold([*options["fixed_files"], *([EVERYTHING] if options["begins_alone"] else [])]):
        prediction, why = try_cases(scorer, options, stages, mode, records)
    with stages("workers"):
        decided = mode.decide(scorer, prediction, options["workers"], options["threads"])
    # Workers that load the model at the same time see each other's files, so the first one's findings are added.
    options["fixed_files"] = sorted({*options["fixed_files"], *mode.fixed_files})
    gc.collect()
    gc.freeze()
    loaded = {"rehearsed": prediction is not None, "fast": scorer.fast.usable and prediction is not None, "why": why}
    loaded["origin"] = scorer.cases[0].origin if prediction else "none"
    loaded["answer"] = digest_answer(prediction)
    loaded["fixed_files"] = options["fixed_files"]
    locks.find_open_files()
    loaded["written_files"] = sorted({*locks.kept, *options["fixed_files"]})
    loaded["has_outside"] = connections.stop() or mode.has_connections or mode.has_written
    return scorer, locks, {**loaded, "worker_mode": decided["mode"], "found": decided["found"]}


def try_cases(
    scorer, options: dict, stages: Stages, mode: WorkerMode, records: list[dict]
) -> tuple[Prediction | None, str]:
    """Returns the first case with its answer, or None and the reason why nothing was predicted."""
    try:
        prediction = predict_cases(scorer, stages, mode, records)
    except Exception as error:
        if options["warm"] == "required":
            raise
        traceback.print_exc()
        failure = describe_failure(stages.name, error, options["model"], trace=False)
        return None, name_case(failure, records)["message"]
    return prediction, "" if prediction else explain_missing_prediction(records)


if __name__ == "__main__":
    main()
