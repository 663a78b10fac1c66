"""Idle workers, and the queue of requests that wait for one."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable
from typing import Callable

from .worker_handle import WorkerHandle


class Full(Exception):
    """The queue is full, or no worker became idle in time. Nothing was started, so a retry is safe."""


class Gone(Exception):
    """The client disconnected before its request was started."""


class Places:
    """Assigns idle workers to waiting requests, oldest first; `limit` requests wait for up to `timeout` seconds."""

    def __init__(self, limit: int, timeout: float) -> None:
        self.limit, self.timeout = limit, timeout
        self.idle: list[WorkerHandle] = []
        self.queue: deque[asyncio.Future[WorkerHandle]] = deque()

    @property
    def full(self) -> bool:
        return not self.idle and len(self.queue) >= self.limit

    async def take(self, receive: Callable[[], Awaitable[dict]]) -> WorkerHandle:
        """Returns an idle worker for one request. Raises Full, or Gone when `receive` completes (the client left)."""
        if self.idle:
            return self.idle.pop()
        if self.full:
            raise Full
        waiter = asyncio.get_running_loop().create_future()
        self.queue.append(waiter)
        gone = asyncio.ensure_future(receive())
        try:
            await asyncio.wait({waiter, gone}, timeout=self.timeout, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                raise Gone
            if not waiter.done():
                raise Full
        except BaseException:
            self.leave(waiter)
            raise
        finally:
            gone.cancel()
        return waiter.result()

    def leave(self, waiter: asyncio.Future[WorkerHandle]) -> None:
        if waiter.done():
            self.free(waiter.result())
            return
        waiter.cancel()
        with contextlib.suppress(ValueError):
            self.queue.remove(waiter)

    def free(self, worker: WorkerHandle) -> None:
        """Gives the worker to the oldest request, or makes it idle. The last idle one is used first (warm pages)."""
        if worker.lost:
            return
        while self.queue:
            waiter = self.queue.popleft()
            if not waiter.done():
                waiter.set_result(worker)
                return
        self.idle.append(worker)

    def remove(self, worker: WorkerHandle) -> None:
        with contextlib.suppress(ValueError):
            self.idle.remove(worker)
