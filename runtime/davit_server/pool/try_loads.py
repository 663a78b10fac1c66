"""Tries workers that have loaded the model themselves, before clients use them and in a proof."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from ..sharing.worker_mode import DIFFERENT_LOADS
from .compare_workers import HANGS, find_only_worker
from .try_workers import AT_ONCE, do_workers_disturb
from .worker_handle import WorkerHandle


class Trial(NamedTuple):
    """`found` is the finding, or "". With `kept`, only that worker may serve; `hangs`: a worker takes too long."""

    found: str = ""
    kept: WorkerHandle | None = None
    hangs: bool = False


async def try_loads(workers: list[WorkerHandle], may_differ: bool, is_tried: bool, seconds: float) -> Trial:
    """Compares the workers if `may_differ`, then tries them at the same time if `is_tried`; each takes up to `seconds`.

    Raises IncompleteReadError or OSError when a worker ends.
    """
    hang = HANGS
    try:
        kept = await asyncio.wait_for(find_only_worker(workers), seconds) if may_differ else None
        if kept is not None:
            return Trial(DIFFERENT_LOADS, kept)
        hang = AT_ONCE
        disturb = is_tried and await asyncio.wait_for(do_workers_disturb(workers), seconds)
        return Trial(AT_ONCE if disturb else "")
    except asyncio.TimeoutError:  # also in Pythons where it is an OSError
        return Trial(hang, hangs=True)
