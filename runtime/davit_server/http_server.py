"""uvicorn, as this server needs it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket

import uvicorn

from .drain import QUIET_SECONDS
from .front import Front

BACKLOG = 1024
KEEP_ALIVE_SECONDS = 620
"""Longer than any balancer keeps an idle connection (600 s): who closes first must not be us, under a request."""


class HttpServer(uvicorn.Server):
    """uvicorn until `end`, without its signals (raised again, they make exit code 143) and its ten ticks a second."""

    def __init__(self, front: Front, settings: argparse.Namespace, end: asyncio.Event) -> None:
        super().__init__(configure(front, settings))
        self.end = end

    @contextlib.contextmanager
    def capture_signals(self):
        yield

    async def main_loop(self) -> None:
        await self.end.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops listening; who has just connected still gets an answer, then idle connections are closed."""
        for server in self.servers:
            server.close()
        await asyncio.sleep(QUIET_SECONDS)
        await super().shutdown(sockets)


def configure(front: Front, settings: argparse.Namespace) -> uvicorn.Config:
    return uvicorn.Config(
        front,
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_level="warning",
        workers=1,  # this and the next: else an endpoint's environment variables would say
        forwarded_allow_ips=[],
        proxy_headers=False,
        server_header=False,
        date_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, int(settings.grace)),
    )
