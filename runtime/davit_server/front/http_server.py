"""Configures uvicorn for this server."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket

import uvicorn

from .app import FrontApp
from .drain import QUIET_SECONDS

BACKLOG = 1024
KEEP_ALIVE_SECONDS = 620
"""Longer than any balancer keeps an idle connection (600 s), so that this server never closes one under a request."""


class HttpServer(uvicorn.Server):
    """Runs uvicorn until `end` is set, without its signal handlers and its ten ticks a second.

    uvicorn raises signals again after its shutdown, which would make the exit code 143.
    """

    def __init__(self, front: FrontApp, settings: argparse.Namespace, end: asyncio.Event) -> None:
        super().__init__(configure(front, settings))
        self.end = end

    @contextlib.contextmanager
    def capture_signals(self):
        yield

    async def main_loop(self) -> None:
        await self.end.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops listening, answers clients that have just connected, then closes idle connections."""
        for server in self.servers:
            server.close()
        await asyncio.sleep(QUIET_SECONDS)
        await super().shutdown(sockets)


def configure(front: FrontApp, settings: argparse.Namespace) -> uvicorn.Config:
    return uvicorn.Config(
        front,
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_level="warning",
        workers=1,  # stated here, as is the next, because an endpoint's environment variables would set them
        forwarded_allow_ips=[],
        proxy_headers=False,
        server_header=False,
        date_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, int(settings.time_limit if settings.grace is None else settings.grace)),
    )
