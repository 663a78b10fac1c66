"""Idle workers, and the queue of requests that wait for one."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable
from typing import Callable

from .worker_handle import WorkerHandle


class QueueFull(Exception):
    """The queue is full, or no worker became idle in time. Nothing was started, so a retry is safe."""


class ClientDisconnected(Exception):
    """The client disconnected before its request was started."""


class WorkerQueue:
    """Assigns idle workers to waiting requests, oldest first; `limit` requests wait for up to `timeout` seconds."""

    def __init__(self, limit: int, timeout: float) -> None:
        self.limit, self.timeout = limit, timeout
        self.idle: list[WorkerHandle] = []
        self.waiting: deque[asyncio.Future[WorkerHandle]] = deque()

    @property
    def is_full(self) -> bool:
        return not self.idle and len(self.waiting) >= self.limit

    async def acquire(self, receive: Callable[[], Awaitable[dict]]) -> WorkerHandle:
        """Returns an idle worker for one request. Raises QueueFull, or ClientDisconnected when `receive` completes."""
        if self.idle:
            return self.idle.pop()
        if self.is_full:
            raise QueueFull
        waiter = asyncio.get_running_loop().create_future()
        self.waiting.append(waiter)
        disconnect = asyncio.ensure_future(receive())
        try:
            await asyncio.wait({waiter, disconnect}, timeout=self.timeout, return_when=asyncio.FIRST_COMPLETED)
            if disconnect.done():
                raise ClientDisconnected
            if not waiter.done():
                raise QueueFull
        except BaseException:
            self.cancel_wait(waiter)
            raise
        finally:
            disconnect.cancel()
        return waiter.result()

    def cancel_wait(self, waiter: asyncio.Future[WorkerHandle]) -> None:
        if waiter.done():
            self.release(waiter.result())
            return
        waiter.cancel()
        with contextlib.suppress(ValueError):
            self.waiting.remove(waiter)

    def release(self, worker: WorkerHandle) -> None:
        """Gives the worker to the oldest request, or makes it idle. The last idle one is used first (warm pages)."""
        if worker.lost:
            return
        while self.waiting:
            waiter = self.waiting.popleft()
            if not waiter.done():
                waiter.set_result(worker)
                return
        self.idle.append(worker)

    def remove(self, worker: WorkerHandle) -> None:
        with contextlib.suppress(ValueError):
            self.idle.remove(worker)
