"""Tells the front when a load or a prediction waits for a lock, because that time is not its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Callable


class WaitNotices:
    """Calls `send` with True when the first thread begins to wait, and with False when none waits any more."""

    def __init__(self, send: Callable[[bool], object], is_allowed: bool = False) -> None:
        self.send, self.is_allowed = send, is_allowed
        self.lock = threading.RLock()  # a signal handler of the model may wait, too
        self.predictions = self.waiting = 0

    @contextlib.contextmanager
    def allow(self) -> Iterator[None]:
        """Allows notices during one prediction: later ones would be in the middle of its answer."""
        with self.lock:
            self.predictions, self.waiting, self.is_allowed = self.predictions + 1, 0, True
        try:
            yield
        finally:
            with self.lock:
                self.is_allowed = False

    @contextlib.contextmanager
    def report(self) -> Iterator[None]:
        prediction = self.predictions  # a thread may still wait when its prediction has ended
        self.count(prediction, 1)
        try:
            yield
        finally:
            self.count(prediction, -1)

    def count(self, prediction: int, change: int) -> None:
        with self.lock:
            if prediction != self.predictions or not self.is_allowed:
                return
            self.waiting += change
            if change == self.waiting == 1 or not self.waiting:
                with contextlib.suppress(OSError):  # the front has ended, which the model must not see
                    self.send(bool(self.waiting))
