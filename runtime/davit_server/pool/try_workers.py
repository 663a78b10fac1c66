"""Tries whether workers that have loaded the model themselves answer rightly when they predict at the same time.

They share no memory, but may share what has a fixed name: a session on a server, a key of a store, or a port on which
the first of them has started a service. MLflow's server predicts one request after the other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from ..protocol.wire import KINDS, TRIAL
from .worker_handle import WorkerHandle

FEWEST_ROUNDS, MOST_ROUNDS, ALL_SECONDS = 3, 20, 0.5
"""Predictions by each worker: about so many seconds, by the time of its first prediction."""

QUICK_SECONDS, SLOW_SECONDS = 1.0, 5.0
"""Each worker of a slower model predicts once at the same time as the others, and those of a very slow one do not."""

AT_ONCE = "workers answer wrongly or fail when each gets a different request, so predictions run one at a time"
"""The finding."""


async def do_workers_disturb(workers: list[WorkerHandle]) -> bool:
    """Says whether the workers, which nothing else uses, answer differently at the same time than alone.

    Each gets a request of its own. A worker that cannot predict it alone, or answers it differently each time, shows
    nothing.
    Raises IncompleteReadError or OSError when a worker ends.
    """
    started = time.perf_counter()
    alone = await predict_in_turn(workers)
    seconds = (time.perf_counter() - started) / len(workers)
    used = [worker for worker, answer in zip(workers, alone) if answer is not None]
    if len(used) < 2 or seconds > SLOW_SECONDS:
        return False
    fitting = max(FEWEST_ROUNDS, min(MOST_ROUNDS, int(ALL_SECONDS / max(seconds, 0.001))))
    rounds = fitting if seconds < QUICK_SECONDS else 1
    expected = [answer for answer in alone if answer is not None]
    numbers = [number for number, answer in enumerate(alone, 1) if answer is not None]
    for _ in range(2):  # a single other answer has other causes, such as a service that is busy
        together = await predict_together(list(zip(used, numbers)), rounds)
        if all(answers == {answer} for answers, answer in zip(together, expected)):
            return False
    return await predict_in_turn(workers) == alone


async def predict_in_turn(workers: list[WorkerHandle]) -> list[bytes | None]:
    return [await predict_varied(worker, number) for number, worker in enumerate(workers, 1)]


async def predict_together(workers: Iterable[tuple[WorkerHandle, int]], rounds: int) -> list[set[bytes | None]]:
    often = (predict_often(*each, rounds) for each in workers)
    together = await asyncio.gather(*often, return_exceptions=True)  # no answer may be left for a client
    ended = next((answers for answers in together if isinstance(answers, BaseException)), None)
    if ended is not None:
        raise ended
    return together


async def predict_often(worker: WorkerHandle, number: int, rounds: int) -> set[bytes | None]:
    return {await predict_varied(worker, number) for _ in range(rounds)}


async def predict_varied(worker: WorkerHandle, number: int) -> bytes | None:
    """Returns the answer to the model's first case with other values (vary_request.py), or None without one."""
    status, answer = await worker.predict(KINDS.index(TRIAL), b"", b"%d" % number)
    return answer if status == 200 else None
