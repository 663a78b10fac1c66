"""Tells the front when a prediction waits for a lock, because that time is not the prediction's own."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

from ..protocol.wire import ANSWER, WAITING, WORKING


class WaitNotices:
    """Sends WAITING when the first thread of a prediction begins to wait, and WORKING when none waits any more."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.lock = threading.RLock()  # a signal handler of the model may wait, too
        self.predictions = self.waiting = 0
        self.is_allowed = False

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
            if change == self.waiting == 1:
                self.connection.sendall(ANSWER.pack(WAITING, 0))
            elif not self.waiting:
                self.connection.sendall(ANSWER.pack(WORKING, 0))
