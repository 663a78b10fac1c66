"""Notices that the client of a request has gone while its prediction waits for those of other workers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Callable


class ClientWatch:
    """While it is switched on, calls `on_gone` when `receive` completes: nothing else comes after the body."""

    def __init__(self, receive: Callable[[], Awaitable[dict]], on_gone: Callable[[], object]) -> None:
        self.receive, self.on_gone = receive, on_gone
        self.task: asyncio.Future[dict] | None = None

    def switch(self, is_on: bool) -> None:
        if self.task is not None:
            self.task.cancel()
            self.task = None
        if is_on:
            self.task = asyncio.ensure_future(self.receive())
            self.task.add_done_callback(self.on_received)

    def on_received(self, task: asyncio.Future[dict]) -> None:
        if task is self.task and not task.cancelled():  # not switched off since
            self.on_gone()
