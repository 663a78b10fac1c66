"""Compares the answers of workers that have loaded the model themselves.

A model may draw numbers when it is loaded: weights, a salt, an index that several threads build. MLflow's server loads
it once, so one input always has one answer.
"""

from __future__ import annotations

from ..protocol.wire import EXAMPLE, KINDS
from ..scoring.compare_answer import is_same_answer
from .worker_handle import WorkerHandle

HANGS = "a worker hangs when it predicts the example again, so predictions run one at a time"
"""The finding where the comparison takes too long."""

MORE_PREDICTIONS = 2
"""So often each worker repeats the example: a worker whose own answers differ draws numbers in predictions."""


async def find_only_worker(workers: list[WorkerHandle]) -> WorkerHandle | None:
    """Returns the worker to keep if they answer the model's first case differently, but each of them always the same.

    Nothing else uses the workers. A worker that cannot predict it shows nothing, and is not kept. Raises
    IncompleteReadError or OSError when a worker ends.
    """
    first = await predict_examples(workers)
    answers = [answer for answer in first if answer is not None]
    if all(is_same_answer(answers[0], answer) for answer in answers):
        return None
    for _ in range(MORE_PREDICTIONS):
        if await predict_examples(workers) != first:  # exactly, because numbers of requests are close to each other
            return None
    return next(worker for worker, answer in zip(workers, first) if answer is not None)


async def predict_examples(workers: list[WorkerHandle]) -> list[bytes | None]:
    """Returns the answer of each worker, which predict one after the other; None for one that fails."""
    predicted = [await worker.predict(KINDS.index(EXAMPLE), b"", b"") for worker in workers]
    return [answer if status == 200 else None for status, answer in predicted]
