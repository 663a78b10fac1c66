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
from .files.write_locks import WriteTurns
from .processes.pass_sockets import receive_with_socket
from .processes.process_tree import adopt_orphans, die_with_parent, end_group, end_group_with, outlive_parent
from .protocol.send_event import tell_front
from .protocol.wire import FORK, SHARED, WISH
from .scoring.import_scorer import import_scorer
from .sharing.try_forks import Question
from .sharing.worker_mode import WorkerMode
from .workers.answer_requests import answer_requests
from .workers.forker import Forker


def main() -> None:
    options = json.loads(sys.argv[1])
    die_with_parent(options["parent"])
    for descriptor in (options["control"], options["turns"]):
        os.set_inheritable(descriptor, False)
    sys.path[:] = [place for place in sys.path if place not in ("", os.getcwd())]  # put there by `python -m`
    enter_folder(options["folder"], MODEL)
    control = socket.socket(fileno=options["control"])
    stages = Stages(lambda name: tell_front(control, event="stage", stage=name))
    try:
        scorer, loaded = load(options, stages)
    except BaseException as error:  # a model may raise anything, even SystemExit
        traceback.print_exc()
        tell_front(control, event="failed", **describe_failure(stages.name, error, options["model"], trace=False))
        sys.stderr.flush()
        os._exit(1)
    tell_front(control, event="loaded", mlflow=scorer.version, seconds=stages.seconds, **loaded)
    serve = fork_workers if loaded["worker_mode"] == SHARED else be_worker
    try:
        serve(control, scorer, options)
    except (EOFError, ConnectionError):
        pass
    finally:
        end_group()  # the front has ended


def fork_workers(control: socket.socket, scorer, options: dict) -> None:
    adopt_orphans()  # in a container the front is process 1 and would not reap them
    outlive_parent()  # from here on it notices that the control socket closes, and ends the workers
    forker = Forker(control, scorer, options)
    try:
        forker.run()
    finally:
        forker.end_workers()


def be_worker(control: socket.socket, scorer, options: dict) -> None:
    record, connection = receive_with_socket(control, WISH.size)
    if record and WISH.unpack(record)[0] == FORK and connection is not None:
        end_group_with(control)  # the front has no more wishes: it ends this process to end the worker
        answer_requests(connection, scorer, options, os.path.join(options["folder"], MODEL))


def load(options: dict, stages: Stages):
    """Returns the scorer and the fields of the event `loaded`. Raises what the model raises, or ForkFailed.

    The fields are rehearsed, fast, why, worker_mode and found (see "Log" in runtime/README.md).
    """
    mode = WorkerMode(options["mode"], options["folder"])
    with stages("import"):
        Scorer = import_scorer()
    turns = WriteTurns(options["turns"], os.path.join(options["folder"], MODEL))
    with stages("load"), turns.turn():
        scorer = Scorer(options["model"], options["nan"])
    with turns.turn(options["fixed_files"]):
        question, why = predict_example(scorer, options, stages, mode)
    # Workers that load the model at the same time disturb each other's looking: the first one has told what it saw.
    options["fixed_files"] = sorted({*options["fixed_files"], *mode.fixed_files})
    with stages("workers"):
        decided = mode.decide(scorer, question, options["workers"], options["threads"])
    gc.collect()
    gc.freeze()
    loaded = {"rehearsed": question is not None, "fast": scorer.fast.usable and question is not None, "why": why}
    loaded["fixed_files"] = options["fixed_files"]
    return scorer, {**loaded, "worker_mode": decided["mode"], "found": decided["found"]}


def predict_example(scorer, options: dict, stages: Stages, mode: WorkerMode) -> tuple[Question | None, str]:
    """The example with its answer, or why there is none."""
    if scorer.example is None:
        return None, "the model has no input example"
    try:
        with stages("predict"):
            answer, seconds = mode.predict(lambda: scorer.predict("json", scorer.example))
            scorer.prove_fast_way(answer)
        with stages("signature"):
            scorer.check(answer)
        return Question("json", scorer.example, answer, seconds), ""
    except Exception as error:
        if options["warm"] == "required":
            raise
        traceback.print_exc()
        return None, describe_failure(stages.name, error, options["model"], trace=False)["message"]


if __name__ == "__main__":
    main()
