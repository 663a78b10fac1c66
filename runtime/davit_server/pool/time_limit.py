"""The time limit of one prediction, without the time in which it waits for predictions of other workers."""

from __future__ import annotations

import asyncio
from typing import Callable


class TimeLimit:
    """Calls `on_end` with False after `seconds` of work, or with True after `wait_seconds` of waiting; each may be in
    several parts.
    """

    def __init__(self, seconds: float, wait_seconds: float, on_end: Callable[[bool], object]) -> None:
        self.remaining = {False: seconds, True: wait_seconds}
        self.on_end = on_end
        self.run(is_waiting=False)

    def run(self, is_waiting: bool) -> None:
        loop = asyncio.get_running_loop()
        self.is_waiting, self.since = is_waiting, loop.time()
        self.timer = loop.call_later(max(0, self.remaining[is_waiting]), self.on_end, is_waiting)

    def switch(self, is_waiting: bool) -> None:
        """Continues with the other part: the prediction begins to wait, or to work again."""
        self.stop()
        self.remaining[self.is_waiting] -= asyncio.get_running_loop().time() - self.since
        self.run(is_waiting)

    def stop(self) -> None:
        self.timer.cancel()
