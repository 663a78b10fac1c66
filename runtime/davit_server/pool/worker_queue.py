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
    """Assigns idle workers to waiting requests, oldest first; `limit` requests wait for up to `timeout` seconds.

    With `is_one_at_a_time`, requests also wait while any worker is busy.
    """

    def __init__(self, limit: int, timeout: float) -> None:
        self.limit, self.timeout = limit, timeout
        self.is_one_at_a_time = False
        self.idle: list[WorkerHandle] = []
        self.busy: set[WorkerHandle] = set()
        self.waiting: deque[asyncio.Future[WorkerHandle]] = deque()

    @property
    def has_free_worker(self) -> bool:
        return bool(self.idle) and not (self.is_one_at_a_time and self.busy)

    @property
    def is_full(self) -> bool:
        return not self.has_free_worker and len(self.waiting) >= self.limit

    async def acquire(self, receive: Callable[[], Awaitable[dict]]) -> WorkerHandle:
        """Returns an idle worker for one request. Raises QueueFull, or ClientDisconnected when `receive` completes."""
        if self.has_free_worker:
            return self.take_idle()
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
        """Makes a worker idle, unless it is lost, and gives idle ones to the oldest requests."""
        self.busy.discard(worker)
        if not worker.lost:
            self.idle.append(worker)
        while self.waiting and self.has_free_worker:
            waiter = self.waiting.popleft()
            if not waiter.done():
                waiter.set_result(self.take_idle())

    def take_idle(self) -> WorkerHandle:
        worker = self.idle.pop()  # the last one first, because its memory pages are warm
        self.busy.add(worker)
        return worker

    def remove(self, worker: WorkerHandle) -> None:
        """Removes a lost worker. One that is busy stays so until `release`."""
        with contextlib.suppress(ValueError):
            self.idle.remove(worker)
