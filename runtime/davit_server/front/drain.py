"""Ends a server: reports not ready at once, keeps serving until the balancer notices, then finishes its requests."""

from __future__ import annotations

import argparse
import asyncio
import os

from ..pool.worker_pool import WorkerPool
from ..processes.hold_signals import ENDING, release_signals
from ..protocol.log import log
from .app import FrontApp

QUIET_SECONDS = 0.05
"""Pause between the last answer and closing the socket: a client that retries at once still gets its 503."""


class Drain:
    """Drains the server on SIGTERM, SIGINT, SIGHUP or the end of the parent's pipe; a second signal ends it at once.

    `end` is called without arguments when the server may stop listening.
    """

    def __init__(self, settings: argparse.Namespace, front: FrontApp, pool: WorkerPool, end) -> None:
        self.settings, self.front, self.pool, self.end = settings, front, pool, end
        self.task: asyncio.Task | None = None

    def install_handlers(self) -> None:
        loop = asyncio.get_running_loop()
        for name in ENDING:
            loop.add_signal_handler(name, self.begin, name.name, True)
        release_signals()
        if self.settings.parent_fd is not None:
            os.set_inheritable(self.settings.parent_fd, False)
            loop.add_reader(self.settings.parent_fd, self.read_parent_pipe)

    def read_parent_pipe(self) -> None:
        if not os.read(self.settings.parent_fd, 4096):
            asyncio.get_running_loop().remove_reader(self.settings.parent_fd)
            self.begin("the parent ended", False)

    def begin(self, why: str, is_forced: bool) -> None:
        if self.task is None:
            self.task = asyncio.ensure_future(self.run(why))
        elif is_forced:
            log("stopped", why=f"second {why}", cut=self.front.in_flight)
            self.pool.stop()
            self.pool.remove_folders()
            os._exit(1)

    async def run(self, why: str) -> None:
        log("draining", why=why, in_flight=self.front.in_flight)
        self.front.drain()
        await asyncio.sleep(self.settings.linger)
        self.front.is_refusing = True
        try:
            await asyncio.wait_for(self.finish(), self.grace_seconds)
        except asyncio.TimeoutError:
            log("grace is over", in_flight=self.front.in_flight)
        self.pool.stop()  # requests without an answer get a 503
        self.end()

    @property
    def grace_seconds(self) -> float:
        """`--grace`, or the longest time that a request may take."""
        longest = self.settings.time_limit + self.pool.longest_wait_seconds
        return longest if self.settings.grace is None else self.settings.grace

    async def finish(self) -> None:
        await self.front.idle.wait()
        await asyncio.sleep(QUIET_SECONDS)
        await self.front.idle.wait()
