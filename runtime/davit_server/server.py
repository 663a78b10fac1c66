"""One server, from the open socket to the exit code."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import time

import uvicorn

from .drain import QUIET_SECONDS, Drain
from .front import Front
from .listener import address_of, open_listener
from .log import log
from .pool import Pool

BACKLOG = 1024
MESSAGE_BYTES = 1700
KEEP_ALIVE_SECONDS = 620
"""Longer than any balancer keeps an idle connection (600 s): who closes first must not be us, under a request."""


class Server(uvicorn.Server):
    """uvicorn without its signals (raised again: exit code 143 after a clean drain) and its ten ticks a second."""

    @contextlib.contextmanager
    def capture_signals(self):
        yield

    async def main_loop(self) -> None:
        self.ending = asyncio.Event()
        if not self.should_exit:
            await self.ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops listening; who has just connected still gets an answer, then idle connections are closed."""
        for server in self.servers:
            server.close()
        await asyncio.sleep(QUIET_SECONDS)
        await super().shutdown(sockets)

    def end(self) -> None:
        self.should_exit = True
        if hasattr(self, "ending"):
            self.ending.set()


def run(settings: argparse.Namespace) -> int:
    """The exit code: 0 after a clean drain, 1 when the model did not start or a request was cut."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(serve(settings))
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(serve(settings))
    finally:
        loop.close()


async def serve(settings: argparse.Namespace) -> int:
    started = time.perf_counter()
    try:
        listener = open_listener(settings)
    except OSError as error:
        log("failed", stage="bind", message=f"Cannot listen: {error}", cause=type(error).__name__)
        return 1
    address, failures = address_of(listener), []

    def say_ready(loaded: dict) -> None:
        seconds = {**loaded["seconds"], "total": round(time.perf_counter() - started, 3)}
        log(
            **{
                **loaded,
                **address,
                "event": "ready",
                "seconds": seconds,
                "pid": os.getpid(),
                "workers": settings.workers,
            }
        )

    def say_failed(failure: dict) -> None:
        failures.append(failure)
        server.end()

    pool = Pool(settings, say_ready, say_failed)
    front = Front(settings, pool)
    server = Server(config(settings, front))
    Drain(settings, front, pool, server.end).listen()
    await pool.start()
    await server.serve(sockets=[listener])
    pool.stop()
    await pool.loader.gone()
    if settings.uds:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(settings.uds)
    return say_end(pool, failures)


def config(settings: argparse.Namespace, front: Front) -> uvicorn.Config:
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


def fitting(message: str) -> str:
    """So much of a message that its line is whole in the 2048 bytes that Kubernetes keeps of a log's end."""
    while len(json.dumps(message)) > MESSAGE_BYTES:
        message = message[: len(message) * 3 // 4] + "…"
    return message


def say_end(pool: Pool, failures: list[dict]) -> int:
    if failures:
        log(**{**failures[0], "event": "failed", "message": fitting(failures[0]["message"])})
        return 1
    log("stopped", cut=pool.cut)
    return 1 if pool.cut else 0
