"""Tries whether forks of a loaded model predict what the model itself predicts, with several forks at once."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import time
from functools import partial
from typing import Callable, NamedTuple

from ..failures.stages import describe_failure
from ..files.own_folder import MODEL, remove_folder
from ..files.watch_files import watch_files
from ..processes.become_worker import become_worker, kill_worker, reseed_random
from ..processes.exit_code import describe_exit
from ..processes.threads import set_thread_limit
from ..processes.wait_readable import wait_readable
from .vary_request import vary_request

MOST_FORKS = 4
ROUNDS, ROUNDS_SECONDS = 5, 0.05
"""Predictions of the example by each fork: so many, or as many as fit into so many seconds; at least one."""

FEWEST_VARIED, MOST_VARIED, ALL_VARIED_SECONDS = 3, 20, 0.5
"""Predictions of a varied request by each fork: about so many seconds, by the time of the first prediction.

No clock ends them: on a busy machine one prediction of each fork may take all of the time and meet no other fork's.
"""

LIMIT_SECONDS, LIMIT_FACTOR = 30.0, 10
"""Time limit of a fork: so many seconds plus so many predictions. It is long because a busy machine is slow."""

QUICK_SECONDS, SLOW_SECONDS = 1.0, 5.0
"""A slower model predicts only the example, and only once in each fork."""

VARIED_SECONDS = 5.0

WRITES_ELSEWHERE = "a prediction writes a file outside the temporary folder"
MIXED_UP = "forks answer wrongly when each gets a different request"
REMEMBERS = "an answer depends on earlier requests"


class Prediction(NamedTuple):
    """A request with the answer of the loading process and the seconds that it took."""

    kind: str
    body: bytes
    answer: str
    seconds: float


class Trial(NamedTuple):
    """Why forks are not safe, or "". `is_mixed_up`: a fork alone is right, so the forks share something that is not in
    the process, which processes that have loaded the model would share too.
    """

    failure: str
    is_mixed_up: bool = False


class Fork(NamedTuple):
    pid: int
    pipe: int
    name: str


class Task(NamedTuple):
    """The task of one fork: predict each body `rounds` times, then once with the threads of a worker if there is more
    than one. An answer is None where the model raised, if `may_raise`.
    """

    kind: str
    bodies: list[bytes]
    rounds: int = ROUNDS
    seconds: float = ROUNDS_SECONDS
    threads: int = 1
    may_raise: bool = False


def try_forks(scorer, prediction: Prediction, workers: int, threads: int, folder: str) -> Trial:
    """Tries whether forks are safe.

    The forks begin together and predict with one thread, as the loading process did, so that answers can be compared
    exactly; then once more with `threads`, as a worker. `folder` contains the folder of the loading process.
    """
    used = read_modification_time(folder)
    count = min(workers, MOST_FORKS)
    limit = LIMIT_SECONDS + LIMIT_FACTOR * prediction.seconds
    task = Task(prediction.kind, [prediction.body], threads=threads if prediction.seconds < QUICK_SECONDS else 1)
    results, failure = run_forks(scorer, [task] * count, limit, folder)
    if not failure and read_modification_time(folder) != used:
        return Trial("forks write into the temporary folder of the loading process")
    failure = failure or compare_answers(scorer, prediction, results)
    if failure:
        return Trial(failure, failure != WRITES_ELSEWHERE and count > 1 and is_right_alone(scorer, prediction, folder))
    failure = try_varied_requests(scorer, prediction, count, folder)
    return Trial(failure, is_mixed_up=failure not in ("", REMEMBERS))


def is_right_alone(scorer, prediction: Prediction, folder: str) -> bool:
    task = Task(prediction.kind, [prediction.body])
    results, failure = run_forks(scorer, [task], VARIED_SECONDS + LIMIT_FACTOR * prediction.seconds, folder)
    return not failure and not compare_answers(scorer, prediction, results)


def try_varied_requests(scorer, prediction: Prediction, count: int, folder: str) -> str:
    """Sends each fork a different request. Its answer must be that of a fork which runs alone.

    Forks that get the same request could mix up their answers unnoticed. The model may refuse a varied request.
    """
    varied = (
        (vary_request(prediction.body, number) for number in range(1, count + 1)) if prediction.kind == "json" else ()
    )
    bodies = [body for body in varied if body is not None]
    if count < 2 or len(bodies) < 2 or prediction.seconds > SLOW_SECONDS:
        return ""
    alone = Task(prediction.kind, bodies, rounds=1, may_raise=True)
    results, failure = run_forks(scorer, [alone], VARIED_SECONDS + LIMIT_FACTOR * prediction.seconds, folder)
    if failure:
        return ""
    pairs = [(body, answers[0]) for body, answers in zip(bodies, results[0]["answers"]) if answers[0] is not None]
    if len(pairs) < 2:
        return ""
    rounds = count_varied_rounds(prediction.seconds)
    tasks = [Task(prediction.kind, [body], rounds, seconds=math.inf) for body, _ in pairs]
    results, failure = run_forks(scorer, tasks, LIMIT_SECONDS + LIMIT_FACTOR * prediction.seconds, folder)
    if failure or all(result["answers"] == [[answer]] for result, (_, answer) in zip(results, pairs)):
        return failure
    alone = (is_answer_alone(scorer, task, result, folder) for task, result in zip(tasks, results))
    return REMEMBERS if all(alone) else MIXED_UP


def is_answer_alone(scorer, task: Task, result: dict, folder: str) -> bool:
    """Says whether a fork gives the same answer when no other fork runs.

    Then forks do not disturb each other, and the fork that predicted all requests has remembered them.
    """
    alone, failure = run_forks(scorer, [task._replace(rounds=1)], LIMIT_SECONDS, folder)
    return not failure and alone[0]["answers"] == result["answers"]


def count_varied_rounds(seconds: float) -> int:
    """Returns how often each fork predicts, for a model whose first prediction took so many seconds."""
    if seconds >= QUICK_SECONDS:
        return 1
    return max(FEWEST_VARIED, min(MOST_VARIED, int(ALL_VARIED_SECONDS / max(seconds, 0.001))))


def run_forks(scorer, tasks: list[Task], limit: float, folder: str) -> tuple[list[dict], str]:
    """Runs each task in a fork of its own, all at once. Returns the results, or why one of the forks failed.

    SIGKILL comes from outside and shows nothing about the model, so all forks then run once more.
    """
    runs = [partial(predict_repeatedly, scorer, task) for task in tasks]
    results, failure = run_forks_once(runs, limit, folder)
    return run_forks_once(runs, limit, folder) if failure == KILLED else (results, failure)


def run_forks_once(runs: list[Callable[[], dict]], limit: float, folder: str) -> tuple[list[dict], str]:
    """Calls each function in a fork of its own. Its result has the key "failure": why it failed, or ""."""
    go, start = os.pipe()
    forks: list[Fork] = []
    try:
        for number, run in enumerate(runs):
            forks.append(start_fork(run, folder, f"try-{number}", (go, start)))
        os.close(start)
        start = -1
        results = read_pipes([fork.pipe for fork in forks], limit)
        failure = next(filter(None, (describe_fork_failure(fork, results[fork.pipe], limit) for fork in forks)), "")
    except OSError as error:  # no memory or no process number left
        return [], f"a fork cannot be made: {error.strerror}"
    finally:
        for descriptor in (go, start):
            if descriptor >= 0:
                os.close(descriptor)
        for fork in forks:
            end_fork(fork, folder)
    return ([], failure) if failure else ([json.loads(results[fork.pipe]) for fork in forks], "")


def compare_answers(scorer, prediction: Prediction, results: list[dict]) -> str:
    """Returns why the answers, or files that were written, show that forks are not safe; or "".

    Each prediction of a fork starts from the same seeds. A difference therefore comes from the model's own state, such
    as a counter or a generator, of which every fork would have a copy.
    """
    if any(len(result["answers"][0]) > 1 for result in results):
        return "the model answers the same input differently each time"
    if any(result["written"] for result in results):
        return WRITES_ELSEWHERE
    answers = {answer for result in results for answer in result["answers"][0]}
    if len(answers) > 1:
        return "forks answer differently"
    # A model that draws random numbers has answered with other numbers before the forks.
    if answers != {prediction.answer} and scorer.predict(prediction.kind, prediction.body) == prediction.answer:
        return "forks answer differently"
    return ""


def start_fork(run: Callable[[], dict], folder: str, name: str, barrier: tuple[int, int]) -> Fork:
    parent = os.getpid()
    reading, writing = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        raise
    if pid:
        os.close(writing)
        return Fork(pid, reading, name)
    try:
        go, start = barrier
        os.close(start)
        become_worker(parent, folder, name)
        discard_output()  # the output of the model would be repeated by each fork
        os.read(go, 1)  # waits until all forks are ready
        with open(writing, "w") as out:
            json.dump(run(), out)
    finally:
        os._exit(0)


def predict_repeatedly(scorer, task: Task) -> dict:
    """Returns `{"answers": distinct answers to each body, "written": files, "failure": why it failed, or ""}`."""
    answers: list[list[str | None]] = []
    written = watch_files(os.getcwd())
    try:
        for body in task.bodies:
            answers.append(collect_distinct_answers(scorer, task, body))
        set_thread_limit(task.threads)
        if task.threads > 1:
            scorer.predict(task.kind, task.bodies[0])
    except Exception as error:
        return {"answers": [], "written": [], "failure": describe_failure("predict", error, "", trace=False)["message"]}
    return {"answers": answers, "written": sorted(written), "failure": ""}


def collect_distinct_answers(scorer, task: Task, body: bytes) -> list[str | None]:
    answers: list[str | None] = []
    end = time.monotonic() + task.seconds
    for _ in range(task.rounds):
        reseed_random(0)
        try:
            answer = scorer.predict(task.kind, body)
        except Exception:
            if not task.may_raise:
                raise
            answer = None
        answers += [] if answer in answers else [answer]
        if time.monotonic() > end:
            break
    return answers


def discard_output() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def read_pipes(pipes: list[int], seconds: float) -> dict[int, bytes | None]:
    """Returns the bytes of each pipe up to its end; None for a pipe that has not ended within `seconds`."""
    parts: dict[int, list[bytes]] = {pipe: [] for pipe in pipes}
    open_pipes, end = set(pipes), time.monotonic() + seconds
    while open_pipes and time.monotonic() < end:
        for pipe in wait_readable(list(open_pipes), end - time.monotonic()):
            part = os.read(pipe, 1 << 16)
            parts[pipe].append(part)
            if not part:
                open_pipes.discard(pipe)
    return {pipe: None if pipe in open_pipes else b"".join(parts[pipe]) for pipe in pipes}


def describe_fork_failure(fork: Fork, result: bytes | None, limit: float) -> str:
    """Returns why one fork failed, or ""."""
    if result is None:
        return f"a fork did not answer within {limit:.0f} s"
    if not result:
        ended = os.waitid(os.P_PID, fork.pid, os.WEXITED | os.WNOWAIT)
        code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        return describe_fork_end(code)
    failure = json.loads(result)["failure"]
    return f"a fork fails the example ({failure})" if failure else ""


def describe_fork_end(code: int) -> str:
    return f"a fork ended {describe_exit(code)}"


KILLED = describe_fork_end(-signal.SIGKILL)


def end_fork(fork: Fork, folder: str) -> None:
    os.close(fork.pipe)
    kill_worker(fork.pid)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(fork.pid, 0)
    remove_folder(folder, fork.name)


def read_modification_time(folder: str) -> int:
    """Returns a number that changes when an entry of the loading process's folder is created or removed."""
    try:
        return os.stat(os.path.join(folder, MODEL)).st_mtime_ns
    except OSError:  # the model has removed it
        return 0
